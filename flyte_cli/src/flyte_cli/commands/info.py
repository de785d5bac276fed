"""`flyte info`: which client this is, and which server it talks to."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import click
from flyteidl.admin.version_pb2 import GetVersionRequest

from flyte_cli.client.connection import Endpoint, admin, find_endpoint
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.documents import print_description
from flyte_cli.showing.output import output_option
from flyte_core.errors import FlyteError

DISTRIBUTIONS = ("flyte-cli", "flyte-kit", "flyteidl")
ANSWER_SECONDS = 5.0


@click.command()
@project_option
@domain_option
@output_option
def command(project: str, domain: str, output: str) -> None:
    """Show versions of client and server, where the server is and who says so, and the project that is meant.

    A server that does not answer is no failure of this command; `flyte doctor` looks for the reason.
    """
    client = {name: version(name) for name in DISTRIBUTIONS}
    data: dict[str, Any] = {"client": {**client, "python": platform.python_version()}}
    try:
        endpoint = find_endpoint()
    except FlyteError as error:
        data["server"] = {"problem": str(error)}
    else:
        data["server"] = _server(endpoint)
    print_description({**data, "project": project, "domain": domain}, output)


def _server(endpoint: Endpoint) -> dict[str, Any]:
    where = {
        "endpoint": endpoint.target,
        "found_in": endpoint.source,
        "encrypted": not endpoint.config.platform.insecure,
        "console": endpoint.http_url,
    }
    try:
        with admin(endpoint) as stub:
            found = stub.GetVersion(GetVersionRequest(), timeout=ANSWER_SECONDS).control_plane_version
    except FlyteError as error:
        return {**where, "version": "", "problem": str(error)}
    return {**where, "version": found.Version, "build": found.Build, "built": found.BuildTime}
