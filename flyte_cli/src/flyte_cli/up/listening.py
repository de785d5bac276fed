"""Checks the ports before anything is started, so that a taken one costs no half-started server."""

from __future__ import annotations

import socket

from flyte_core.errors import ConfigError


def check_free(host: str, ports: dict[str, int]) -> None:
    """Bind each port once and let go.

    :param ports: option name → port
    :raises flyte_core.errors.ConfigError: naming every port that is taken, its option and the fix
    """
    problems = []
    for option, port in ports.items():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                problems.append(f"{option} {port}: {error.strerror}; choose another with {option} PORT")
    numbers = list(ports.values())
    problems += [f"{option} {port}: given twice" for option, port in ports.items() if numbers.count(port) > 1]
    if problems:
        raise ConfigError("cannot listen on " + "; ".join(problems))
