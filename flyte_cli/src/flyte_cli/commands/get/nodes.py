"""`flyte get nodes` and `flyte get task-executions`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import click
from flyteidl.admin.node_execution_pb2 import NodeExecution
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.catalog_pb2 import CatalogCacheStatus
from flyteidl.core.execution_pb2 import NodeExecution as NodePhases
from flyteidl.core.execution_pb2 import TaskExecution as TaskPhases
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import admin
from flyte_cli.client.patience import Patience
from flyte_cli.commands.get.executions import WATCH_SECONDS
from flyte_cli.commands.get.listing import Listing, listing_options
from flyte_cli.executions.node_tree import attempts, last_line, node_executions, with_whole_error
from flyte_cli.executions.reading import get_execution
from flyte_cli.executions.terminal_phases import is_ended
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.completion_values import nodes as known_nodes
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import RowPrinter, View, print_rows
from flyte_cli.showing.times import duration_text, now, seconds_of, time_text

NODE_VIEW = View(
    columns=(
        ("NODE", lambda row: row.id.node_id),
        ("PHASE", lambda row: NodePhases.Phase.Name(row.closure.phase)),
        ("CREATED", lambda row: time_text(row.closure.created_at)),
        ("DURATION", lambda row: duration_text(seconds_of(row.closure, now()))),
        ("ERROR", lambda row: last_line(row.closure.error.message)),
    ),
    further=(
        ("STARTED", lambda row: time_text(row.closure.started_at)),
        ("SPEC NODE", lambda row: row.metadata.spec_node_id),
        ("CACHE", lambda row: CatalogCacheStatus.Name(row.closure.task_node_metadata.cache_status)),
        ("LAUNCHED", lambda row: row.closure.workflow_node_metadata.executionId.name),
    ),
    name=lambda row: str(row.id.node_id),
)
ATTEMPT_VIEW = View(
    columns=(
        ("NODE", lambda row: row.id.node_execution_id.node_id),
        ("ATTEMPT", lambda row: str(row.id.retry_attempt)),
        ("PHASE", lambda row: TaskPhases.Phase.Name(row.closure.phase)),
        ("CREATED", lambda row: time_text(row.closure.created_at)),
        ("DURATION", lambda row: duration_text(seconds_of(row.closure, now()))),
        ("ERROR", lambda row: last_line(row.closure.error.message)),
    ),
    further=(
        ("TASK", lambda row: row.id.task_id.name),
        ("VERSION", lambda row: row.id.task_id.version),
        ("REASON", lambda row: row.closure.reason),
        ("LOGS", lambda row: " ".join(log.uri for log in row.closure.logs)),
    ),
    name=lambda row: f"{row.id.node_execution_id.node_id}/{row.id.retry_attempt}",
)


@click.command()
@click.argument("execution", shell_complete=known_executions)
@project_option
@domain_option
@click.option("-w", "--watch", is_flag=True, help="Go on printing what changes until the execution ends.")
@listing_options(phases=NodePhases.Phase.keys(), ordered=False)
def nodes(execution: str, project: str, domain: str, watch: bool, listing: Listing) -> None:
    """List the nodes of EXECUTION in the order in which they started, each before those that it started itself."""
    wanted = execution_id(execution, project, domain)
    with admin() as stub:
        get_execution(stub, wanted)  # lists are empty where there is none
        if watch:
            _watch(stub, wanted, listing)
        else:
            print_rows(list(_nodes(stub, wanted, listing)), NODE_VIEW, listing.output)


def _nodes(stub: AdminServiceStub, execution: WorkflowExecutionIdentifier, listing: Listing) -> Iterator[NodeExecution]:
    rows = node_executions(stub, execution, filters=listing.filters)
    return (with_whole_error(stub, row) for row in itertools.islice(rows, listing.limit))


def _watch(stub: AdminServiceStub, execution: WorkflowExecutionIdentifier, listing: Listing) -> None:
    """Print nodes, then each of them again when its phase changes."""
    printer = RowPrinter(NODE_VIEW, listing.output)
    phases: dict[str, int] = {}
    patience = Patience()
    while True:
        ended, rows = patience.look(lambda: (_has_ended(stub, execution), list(_nodes(stub, execution, listing))))
        changed = [row for row in rows if phases.get(row.id.node_id) != row.closure.phase]
        phases.update({row.id.node_id: row.closure.phase for row in changed})
        if changed:
            printer.print(changed)
        if ended:
            return
        time.sleep(WATCH_SECONDS)


def _has_ended(stub: AdminServiceStub, execution: WorkflowExecutionIdentifier) -> bool:
    return is_ended(get_execution(stub, execution).closure)


@click.command(name="task-executions")
@click.argument("execution", shell_complete=known_executions)
@click.argument("node", default="", shell_complete=known_nodes)
@project_option
@domain_option
@listing_options(phases=TaskPhases.Phase.keys(), ordered=False)
def task_executions(execution: str, node: str, project: str, domain: str, listing: Listing) -> None:
    """List the attempts of the tasks of EXECUTION, of one NODE where given, oldest first."""
    wanted = execution_id(execution, project, domain)
    with admin() as stub:
        get_execution(stub, wanted)  # lists are empty where there is none
        rows = list(itertools.islice(_attempts(stub, wanted, node, listing.filters), listing.limit))
    print_rows(rows, ATTEMPT_VIEW, listing.output)


def _attempts(
    stub: AdminServiceStub, execution: WorkflowExecutionIdentifier, node: str, filters: str
) -> Iterator[TaskExecution]:
    if node:
        yield from attempts(stub, NodeExecutionIdentifier(node_id=node, execution_id=execution), filters)
        return
    for row in node_executions(stub, execution):
        yield from attempts(stub, row.id, filters)
