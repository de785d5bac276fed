"""`flyte get signals`."""

from __future__ import annotations

import click
from flyteidl.admin.signal_pb2 import SignalListRequest
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from flyte_cli.client.connection import connected
from flyte_cli.client.paging import pages
from flyte_cli.commands.get.listing import Listing, listing_options
from flyte_cli.executions.reading import get_execution
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.literal_values import literal_text
from flyte_cli.showing.output import View, print_rows
from flyte_core.literals import type_text

VIEW = View(
    columns=(
        ("SIGNAL", lambda row: row.id.signal_id),
        ("TYPE", lambda row: type_text(row.type)),
        ("STATE", lambda row: "SET" if row.HasField("value") else "WAITING"),
        ("VALUE", lambda row: literal_text(row.value) if row.HasField("value") else ""),
    ),
    name=lambda row: str(row.id.signal_id),
)


@click.command()
@click.argument("execution", shell_complete=known_executions)
@project_option
@domain_option
@listing_options()
def signals(execution: str, project: str, domain: str, listing: Listing) -> None:
    """List the signals of EXECUTION; those that are WAITING keep a node from going on."""
    wanted = execution_id(execution, project, domain)
    request = SignalListRequest(workflow_execution_id=wanted, filters=listing.filters, sort_by=listing.sort)
    with connected() as channel:
        get_execution(AdminServiceStub(channel), wanted)  # the list is empty where there is none
        rows = list(pages(SignalServiceStub(channel).ListSignals, request, "signals", listing.limit))
    print_rows(rows, VIEW, listing.output)
