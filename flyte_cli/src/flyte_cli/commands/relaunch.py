"""`flyte relaunch`: runs an execution again."""

from __future__ import annotations

import click
from flyteidl.admin.execution_pb2 import ExecutionRelaunchRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_cli.connection import CALL_SECONDS, admin, domain_option, project_option


@click.command()
@click.argument("execution")
@click.option("--name", default="", help="Name of the new execution; one is made up where none is given.")
@click.option("--overwrite-cache", is_flag=True, help="Run cached tasks too, and replace what the cache holds.")
@project_option
@domain_option
def command(execution: str, name: str, overwrite_cache: bool, project: str, domain: str) -> None:
    """Run EXECUTION again, from the start and with the same inputs; print the new execution's name."""
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=execution)
    request = ExecutionRelaunchRequest(id=wanted, name=name, overwrite_cache=overwrite_cache)
    with admin() as stub:
        click.echo(stub.RelaunchExecution(request, timeout=CALL_SECONDS).id.name)
