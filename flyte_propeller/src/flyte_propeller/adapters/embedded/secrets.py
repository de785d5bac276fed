"""Secrets of tasks: what upstream's webhook does to pods in a cluster, done as a container starts.

Values are looked for in the server's environment (``FLYTE_SECRET_<GROUP>_<KEY>``) and in files
(``<folder>/<group>/<key>``), as upstream's global secret manager does. They are neither in the pod's object nor in a
log.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flyteidl.core.security_pb2 import Secret

from flyte_core.errors import InvalidInput
from flyte_propeller.host.secret_requests import requested_secrets

SERVER_PREFIX = "FLYTE_SECRET_"
TASK_PREFIX = "_FSEC_"
FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where values are.

    :ivar folder: of files by group and key; one that does not exist holds none
    :ivar environment: of the server
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def value(self, secret: Secret) -> bytes:
        """Return a secret.

        :raises InvalidInput: if it is nowhere; says where to put it
        """
        variable = SERVER_PREFIX + _variable(secret)
        if variable in self.environment:
            return self.environment[variable].encode()
        parts = _parts(secret)
        for names in (parts, [part.lower() for part in parts]):
            path = self.folder.joinpath(*names)
            if path.is_file() and path.resolve().is_relative_to(self.folder.resolve()):
                return path.read_bytes()
        raise InvalidInput(
            f"secret {'/'.join(parts)} is not there: write it to {self.folder.joinpath(*parts)}, or start the server "
            f"with {variable}",
            field="secret_requests",
        )


def inject(annotations: Mapping[str, str], source: SecretSource, folder: Path) -> dict[str, str]:
    """Return the variables that give a container the secrets that its pod asks for; those wanted as files are written.

    :param folder: of the attempt; nobody else can read it, and it goes with the attempt
    :raises InvalidInput: naming a secret that is nowhere
    """
    env: dict[str, str] = {}
    for secret in requested_secrets(annotations):
        value = source.value(secret)
        if secret.mount_requirement == Secret.FILE:
            _write(folder.joinpath(*(part.lower() for part in _parts(secret))), value)
            env |= {"FLYTE_SECRETS_DEFAULT_DIR": str(folder), "FLYTE_SECRETS_FILE_PREFIX": ""}
            continue
        text = value.decode(errors="surrogateescape").rstrip("\n")
        env |= {"FLYTE_SECRETS_ENV_PREFIX": TASK_PREFIX, TASK_PREFIX + _variable(secret): text}
        if secret.env_var:
            env[secret.env_var] = text
    return env


def _parts(secret: Secret) -> list[str]:
    parts = [part for part in (secret.group, secret.group_version, secret.key) if part]
    for part in parts:
        if part in {".", ".."} or "/" in part or "\0" in part:
            raise InvalidInput(f"{part!r} is no name of a secret", field="secret_requests")
    return parts


def _variable(secret: Secret) -> str:
    return "_".join(part.upper() for part in _parts(secret))


def _write(path: Path, value: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
