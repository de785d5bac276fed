"""`flyte terminate`: ends an execution before its time."""

from __future__ import annotations

import click
from flyteidl.admin.execution_pb2 import ExecutionTerminateRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_cli.connection import CALL_SECONDS, admin, domain_option, project_option


@click.command()
@click.argument("execution")
@click.option("--cause", default="terminated by flyte terminate", show_default=True, help="Kept with the execution.")
@project_option
@domain_option
def command(execution: str, cause: str, project: str, domain: str) -> None:
    """End EXECUTION: its tasks are stopped, and it is ABORTED once they have ended."""
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=execution)
    with admin() as stub:
        stub.TerminateExecution(ExecutionTerminateRequest(id=wanted, cause=cause), timeout=CALL_SECONDS)
    click.echo(f"{execution}: terminating")
