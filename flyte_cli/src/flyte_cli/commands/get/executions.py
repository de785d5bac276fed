"""`flyte get executions`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest, Sort
from flyteidl.admin.execution_pb2 import Execution, ExecutionMetadata
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import admin
from flyte_cli.client.paging import pages
from flyte_cli.client.patience import Patience
from flyte_cli.commands.get.listing import Listing, listing_options
from flyte_cli.executions.node_tree import last_line
from flyte_cli.executions.reading import get_execution
from flyte_cli.executions.terminal_phases import TERMINAL
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.filters import execution_field, of_executions
from flyte_cli.options.urns import execution_id, urn
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import RowPrinter, View, print_rows
from flyte_cli.showing.times import duration_text, now, seconds_of, time_text

WATCH_SECONDS = 0.5
"""Between two looks of ``--watch``."""

VIEW = View(
    columns=(
        ("NAME", lambda row: row.id.name),
        ("LAUNCH PLAN", lambda row: row.spec.launch_plan.name),
        ("PHASE", lambda row: WorkflowExecution.Phase.Name(row.closure.phase)),
        ("CREATED", lambda row: time_text(row.closure.created_at)),
        ("DURATION", lambda row: duration_text(seconds_of(row.closure, now()))),
    ),
    further=(
        ("VERSION", lambda row: row.spec.launch_plan.version),
        ("STARTED", lambda row: time_text(row.closure.started_at)),
        ("MODE", lambda row: ExecutionMetadata.ExecutionMode.Name(row.spec.metadata.mode)),
        ("USER", lambda row: row.spec.metadata.principal),
        ("ERROR", lambda row: row.closure.abort_metadata.cause or last_line(row.closure.error.message)),
    ),
    name=lambda row: urn(row.id),
)


@click.command()
@click.argument("name", default="", shell_complete=known_executions)
@project_option
@domain_option
@click.option("-w", "--watch", is_flag=True, help="Go on printing what changes; with NAME until it ends.")
@listing_options(phases=WorkflowExecution.Phase.keys())
def executions(name: str, project: str, domain: str, watch: bool, listing: Listing) -> None:
    """List executions, newest first; with NAME only that one. With --watch, JSON is one line for each change."""
    wanted = execution_id(name, project, domain)
    if name and listing.filters:
        raise click.UsageError(f"{name} is one execution: leave --filter, --phase and --since out")
    with admin() as stub:
        if watch:
            _watch(stub, wanted, listing)
        else:
            print_rows(_executions(stub, wanted, listing), VIEW, listing.output)


def _executions(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, listing: Listing) -> Sequence[Execution]:
    if wanted.name:
        return [get_execution(stub, wanted)]
    where = NamedEntityIdentifier(project=wanted.project, domain=wanted.domain)
    sort = Sort(key=execution_field(listing.sort.key), direction=listing.sort.direction)
    request = ResourceListRequest(id=where, filters=of_executions(listing.filters), sort_by=sort)
    rows = pages(stub.ListExecutions, request, "executions", listing.limit)
    if listing.output in ("table", "name"):
        return list(rows)
    return [get_execution(stub, row.id) if row.closure.HasField("error") else row for row in rows]


def _watch(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, listing: Listing) -> None:
    """Print executions, then each of them again when its phase changes."""
    printer = RowPrinter(VIEW, listing.output)
    phases: dict[str, int] = {}
    patience = Patience()
    while True:
        rows = patience.look(lambda: _executions(stub, wanted, listing))
        changed = [row for row in rows if phases.get(row.id.name) != row.closure.phase]
        phases.update({row.id.name: row.closure.phase for row in changed})
        printer.print(changed)
        if wanted.name and rows[0].closure.phase in TERMINAL:
            return
        time.sleep(WATCH_SECONDS)
