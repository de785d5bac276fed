"""`flyte get`: what the control plane knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest, Sort
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import NodeExecutionListRequest
from flyteidl.admin.project_pb2 import ProjectListRequest
from flyteidl.core.execution_pb2 import NodeExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_cli.connection import CALL_SECONDS, admin, domain_option, project_option
from flyte_cli.output import Column, output_option, print_messages

PHASE_COLUMN: Column = ("PHASE", lambda row: WorkflowExecution.Phase.Name(row.closure.phase))
CREATED_COLUMN: Column = ("CREATED", lambda row: row.closure.created_at.ToDatetime().isoformat(" ", "seconds"))
ENTITY_COLUMNS: Sequence[Column] = (
    ("NAME", lambda row: row.id.name),
    ("VERSION", lambda row: row.id.version),
    CREATED_COLUMN,
)
EXECUTION_COLUMNS: Sequence[Column] = (
    ("NAME", lambda row: row.id.name),
    ("LAUNCH PLAN", lambda row: row.spec.launch_plan.name),
    PHASE_COLUMN,
    CREATED_COLUMN,
    ("DURATION", lambda row: f"{row.closure.duration.ToTimedelta().total_seconds():.1f} s"),
)
NODE_COLUMNS: Sequence[Column] = (
    ("NODE", lambda row: row.id.node_id),
    ("PHASE", lambda row: NodeExecution.Phase.Name(row.closure.phase)),
    CREATED_COLUMN,
    ("DURATION", lambda row: f"{row.closure.duration.ToTimedelta().total_seconds():.1f} s"),
    ("ERROR", lambda row: row.closure.error.message.strip().splitlines()[-1] if row.closure.error.message else ""),
)
limit_option = click.option("--limit", default=100, show_default=True, help="At most so many, newest first.")


@click.group()
def command() -> None:
    """List what the control plane knows."""


@command.command()
@output_option
def projects(output: str) -> None:
    """List projects and their domains."""
    with admin() as stub:
        rows = stub.ListProjects(ProjectListRequest(), timeout=CALL_SECONDS).projects
    columns: Sequence[Column] = (
        ("ID", lambda row: row.id),
        ("NAME", lambda row: row.name),
        ("DOMAINS", lambda row: ", ".join(domain.id for domain in row.domains)),
    )
    print_messages(rows, columns, output)


def _list_entities(method: str, field: str) -> click.Command:
    @click.command(name=field.replace("_", "-"), help=f"List {field.replace('_', ' ')}, newest first.")
    @click.argument("name", default="")
    @project_option
    @domain_option
    @limit_option
    @output_option
    def entities(name: str, project: str, domain: str, limit: int, output: str) -> None:
        with admin() as stub:
            request = ResourceListRequest(
                id=NamedEntityIdentifier(project=project, domain=domain, name=name), limit=limit, sort_by=_newest()
            )
            rows = getattr(getattr(stub, method)(request, timeout=CALL_SECONDS), field)
        print_messages(rows, ENTITY_COLUMNS, output)

    return entities


def _newest() -> Sort:
    return Sort(key="created_at", direction=Sort.DESCENDING)


for _method, _field in (
    ("ListTasks", "tasks"),
    ("ListWorkflows", "workflows"),
    ("ListLaunchPlans", "launch_plans"),
):
    command.add_command(_list_entities(_method, _field))


@command.command()
@click.argument("name", default="")
@project_option
@domain_option
@limit_option
@output_option
def executions(name: str, project: str, domain: str, limit: int, output: str) -> None:
    """List executions, newest first; with NAME only that one."""
    rows: Sequence[Any]
    with admin() as stub:
        if name:
            wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
            rows = [stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS)]
        else:
            where = NamedEntityIdentifier(project=project, domain=domain)
            request = ResourceListRequest(id=where, limit=limit, sort_by=_newest())
            rows = stub.ListExecutions(request, timeout=CALL_SECONDS).executions
    print_messages(rows, EXECUTION_COLUMNS, output)


@command.command()
@click.argument("execution")
@project_option
@domain_option
@output_option
def nodes(execution: str, project: str, domain: str, output: str) -> None:
    """List the nodes of EXECUTION in the order in which they started."""
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=execution)
    rows: list[Any] = []
    token = ""
    with admin() as stub:
        while True:
            request = NodeExecutionListRequest(
                workflow_execution_id=wanted,
                limit=100,
                token=token,
                sort_by=Sort(key="created_at", direction=Sort.ASCENDING),
            )
            page = stub.ListNodeExecutions(request, timeout=CALL_SECONDS)
            rows += page.node_executions
            token = page.token
            if not token:
                break
    print_messages(rows, NODE_COLUMNS, output)
