"""Ends executions, many at once."""

from __future__ import annotations

from collections.abc import Sequence

import click
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_cli.options.confirmation import confirm
from flyte_cli.options.urns import execution_id
from flyte_cli.showing.output import print_data
from flyte_core.errors import UserError
from flyte_kit.remote import FlyteRemote
from flyte_kit.remote.client import NEWEST, PAGE

LIVE_PHASES = ("UNDEFINED", "QUEUED", "RUNNING", "SUCCEEDING", "FAILING")
"""Phases in which an execution can be ended (and is not being ended already)."""
SHOWN = 10
"""As many names are part of the question."""

cause_option = click.option(
    "--cause", default="terminated by flyte terminate", show_default=True, help="Kept with the execution."
)


def choose(
    client: FlyteRemote, names: Sequence[str], phases: Sequence[str], project: str, domain: str, *, ask: bool
) -> list[WorkflowExecutionIdentifier]:
    """Return the executions to end: the named ones, or without a name all in one of the phases, if the user agrees.

    :param phases: all live ones where there is none
    :param ask: whether the user is asked about those that were not named
    """
    if names:
        return [execution_id(text, project, domain) for text in dict.fromkeys(names)]
    where = f"value_in(phase,{';'.join(phases or LIVE_PHASES)})"
    request = ResourceListRequest(
        id=NamedEntityIdentifier(project=project, domain=domain), limit=PAGE, filters=where, sort_by=NEWEST
    )
    # The whole list before the first is ended: pages shift when executions leave the filter
    found = [row.id for row in client.client.pages(client.client.admin.ListExecutions, request, "executions")]
    if found and ask:
        shown = ", ".join(each.name for each in found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
        confirm(f"End {len(found)} execution(s) of {project}/{domain} ({shown})?", yes=False)
    return found


def terminate(
    client: FlyteRemote, executions: Sequence[WorkflowExecutionIdentifier], cause: str, *, dry_run: bool, output: str
) -> None:
    """End executions and print which; one that cannot be ended does not keep the others from it.

    :raises click.ClickException: if there were such ones; with the reasons
    """
    refused = []
    rows = []
    for execution in executions:
        try:
            if not dry_run:
                client.terminate(execution, cause)
        except UserError as error:
            refused.append(f"{execution.name}: {error}")
            continue
        state = "would be terminated" if dry_run else "terminating"
        rows.append({"name": execution.name, "state": state})
        if output == "table":
            click.echo(f"{execution.name}: {state}")
    if output != "table":
        print_data(rows, output)
    elif not executions:
        click.echo("nothing runs")
    if refused:
        raise click.ClickException("\n".join(refused))
