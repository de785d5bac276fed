"""A client of the SDK for the control plane that a command talks to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from flyte_cli.client.connection import find_endpoint, translated
from flyte_core.errors import Unavailable
from flyte_kit.exceptions.system import FlyteSystemUnavailableException
from flyte_kit.remote import FlyteRemote


@contextmanager
def remote(project: str, domain: str) -> Iterator[FlyteRemote]:
    """Yield a client; calls that name no project and domain mean these.

    :raises flyte_core.errors.Unavailable: if the control plane does not answer: with its address, and whence
    """
    found = find_endpoint()
    client = FlyteRemote(found.config, project, domain)
    try:
        yield client
    except FlyteSystemUnavailableException as error:
        raise Unavailable(f"no server answers at {found.target} (from {found.source}): {error}") from error
    except grpc.RpcError as error:  # of a stub of the client that was called without it
        raise translated(error, found) from error
    finally:
        client.close()
