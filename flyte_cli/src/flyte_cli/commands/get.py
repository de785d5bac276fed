"""`flyte get`: what the control plane knows."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest, Sort
from flyteidl.admin.execution_pb2 import Execution, WorkflowExecutionGetRequest
from flyteidl.admin.project_pb2 import ProjectListRequest
from flyteidl.core.execution_pb2 import NodeExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.connection import CALL_SECONDS, admin, domain_option, project_option
from flyte_cli.node_tree import last_line, node_executions, with_whole_error
from flyte_cli.output import Column, Table, as_data, output_option, print_document, print_messages
from flyte_cli.terminal_phases import TERMINAL

WATCH_SECONDS = 0.5
"""Between two looks of ``--watch``."""

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
    ("ERROR", lambda row: last_line(row.closure.error.message)),
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
@click.option("-w", "--watch", is_flag=True, help="Go on printing what changes; with NAME until it ends.")
@output_option
def executions(name: str, project: str, domain: str, limit: int, watch: bool, output: str) -> None:
    """List executions, newest first; with NAME only that one. With --watch, JSON is one line for each change."""
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
    with admin() as stub:
        if watch:
            _watch(stub, wanted, limit, output)
        else:
            print_messages(_executions(stub, wanted, limit), EXECUTION_COLUMNS, output)


def _executions(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, limit: int) -> Sequence[Execution]:
    if wanted.name:
        return [stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS)]
    where = NamedEntityIdentifier(project=wanted.project, domain=wanted.domain)
    request = ResourceListRequest(id=where, limit=limit, sort_by=_newest())
    rows: Sequence[Execution] = stub.ListExecutions(request, timeout=CALL_SECONDS).executions
    return rows


def _watch(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, limit: int, output: str) -> None:
    """Print executions, then each of them again when its phase changes."""
    table = Table(EXECUTION_COLUMNS)
    phases: dict[str, int] = {}
    while True:
        rows = _executions(stub, wanted, limit)
        changed = [row for row in rows if phases.get(row.id.name) != row.closure.phase]
        phases.update({row.id.name: row.closure.phase for row in changed})
        if output == "table":
            table.print(changed)
        else:
            for row in changed:
                print_document(as_data(row), output)
        if wanted.name and rows[0].closure.phase in TERMINAL:
            return
        time.sleep(WATCH_SECONDS)


@command.command()
@click.argument("execution")
@project_option
@domain_option
@output_option
def nodes(execution: str, project: str, domain: str, output: str) -> None:
    """List the nodes of EXECUTION in the order in which they started, each before those that it started itself."""
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=execution)
    with admin() as stub:
        stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS)  # or it says: there is none
        rows = [with_whole_error(stub, row) for row in node_executions(stub, wanted)]
    print_messages(rows, NODE_COLUMNS, output)
