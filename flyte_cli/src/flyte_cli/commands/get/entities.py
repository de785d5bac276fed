"""`flyte get tasks`, `flyte get workflows` and `flyte get launch-plans`: what is registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
import grpc
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest
from flyteidl.admin.launch_plan_pb2 import ActiveLaunchPlanListRequest, ActiveLaunchPlanRequest, LaunchPlanState
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS, admin
from flyte_cli.client.paging import pages
from flyte_cli.commands.get.listing import Listing, listing_options
from flyte_cli.options.completion_values import (
    launch_plan_names,
    launch_plan_versions,
    task_names,
    task_versions,
    workflow_names,
    workflow_versions,
)
from flyte_cli.options.urns import entity_id, urn
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.registered.interfaces import image_of, schedule_text
from flyte_cli.registered.reading import get_entity, list_method
from flyte_cli.showing.output import Column, View, print_rows
from flyte_cli.showing.times import time_text
from flyte_core.errors import NotFound

COLUMNS: Sequence[Column] = (
    ("NAME", lambda row: row.id.name),
    ("VERSION", lambda row: row.id.version),
    ("CREATED", lambda row: time_text(row.closure.created_at)),
)
TASK_VIEW = View(
    columns=COLUMNS,
    further=(
        ("TYPE", lambda row: row.closure.compiled_task.template.type),
        ("IMAGE", lambda row: image_of(row.closure.compiled_task.template)),
        ("DESCRIPTION", lambda row: row.short_description),
    ),
    name=lambda row: urn(row.id),
)
WORKFLOW_VIEW = View(
    columns=COLUMNS,
    further=(("DESCRIPTION", lambda row: row.short_description),),
    name=lambda row: urn(row.id),
)
LAUNCH_PLAN_VIEW = View(
    columns=(
        *COLUMNS,
        ("STATE", lambda row: LaunchPlanState.Name(row.closure.state)),
        ("SCHEDULE", lambda row: schedule_text(row.spec.entity_metadata.schedule)),
    ),
    further=(
        ("WORKFLOW", lambda row: row.spec.workflow_id.name),
        ("WORKFLOW VERSION", lambda row: row.spec.workflow_id.version),
        ("UPDATED", lambda row: time_text(row.closure.updated_at)),
    ),
    name=lambda row: urn(row.id),
)

version_option = click.option("--version", "version_given", default="", help="Only this version.")
latest_option = click.option("--latest", is_flag=True, help="Of each name only the version created last.")


@click.command()
@click.argument("name", default="", shell_complete=task_names)
@click.argument("version", default="", shell_complete=task_versions)
@project_option
@domain_option
@version_option
@latest_option
@listing_options()
def tasks(
    name: str, version: str, project: str, domain: str, version_given: str, latest: bool, listing: Listing
) -> None:
    """List tasks, newest first: of all names, the versions of NAME, or one VERSION."""
    wanted = entity_id(ResourceType.TASK, name, project, domain, version or version_given)
    with admin() as stub:
        print_rows(_rows(stub, wanted, listing, latest=latest), TASK_VIEW, listing.output)


@click.command()
@click.argument("name", default="", shell_complete=workflow_names)
@click.argument("version", default="", shell_complete=workflow_versions)
@project_option
@domain_option
@version_option
@latest_option
@listing_options()
def workflows(
    name: str, version: str, project: str, domain: str, version_given: str, latest: bool, listing: Listing
) -> None:
    """List workflows, newest first: of all names, the versions of NAME, or one VERSION."""
    wanted = entity_id(ResourceType.WORKFLOW, name, project, domain, version or version_given)
    with admin() as stub:
        print_rows(_rows(stub, wanted, listing, latest=latest), WORKFLOW_VIEW, listing.output)


@click.command(name="launch-plans")
@click.argument("name", default="", shell_complete=launch_plan_names)
@click.argument("version", default="", shell_complete=launch_plan_versions)
@project_option
@domain_option
@version_option
@latest_option
@click.option("--active-only", "--scheduled", is_flag=True, help="Only the active version of each name.")
@click.option("--workflow", default="", help="Only plans of this workflow.")
@listing_options()
def launch_plans(
    name: str,
    version: str,
    project: str,
    domain: str,
    version_given: str,
    latest: bool,
    active_only: bool,
    workflow: str,
    listing: Listing,
) -> None:
    """List launch plans, newest first: of all names, the versions of NAME, or one VERSION."""
    wanted = entity_id(ResourceType.LAUNCH_PLAN, name, project, domain, version or version_given)
    if active_only and (latest or wanted.version or workflow or listing.filters):
        raise click.UsageError("--active-only goes with NAME, --limit, --sort-by and --output, and not with filters")
    with admin() as stub:
        if active_only:
            rows = _active(stub, wanted, listing)
        else:
            term = f"eq(workflow.name,{workflow})" if workflow else ""
            rows = _rows(stub, wanted, listing, latest=latest, term=term)
    print_rows(rows, LAUNCH_PLAN_VIEW, listing.output)


def _rows(
    stub: AdminServiceStub, wanted: Identifier, listing: Listing, *, latest: bool, term: str = ""
) -> Sequence[Any]:
    if wanted.name and wanted.version:
        if latest or term or listing.filters:
            raise click.UsageError("NAME and VERSION are one thing: leave --latest and filters out")
        return [get_entity(stub, wanted)]
    method, field = list_method(stub, wanted.resource_type)
    filters = "+".join(filter(None, (listing.and_filter(term), wanted.version and f"eq(version,{wanted.version})")))
    where = NamedEntityIdentifier(project=wanted.project, domain=wanted.domain, name=wanted.name)
    request = ResourceListRequest(id=where, filters=filters, sort_by=listing.sort)
    if not latest:
        return list(pages(method, request, field, listing.limit))
    return _newest_of_each(pages(method, request, field))[: listing.limit]


def _newest_of_each(rows: Iterable[Any]) -> list[Any]:
    """Return of each name the row that was created last, in the order of the rows."""
    newest: dict[str, Any] = {}
    for row in rows:
        known = newest.setdefault(row.id.name, row)
        if row.closure.created_at.ToNanoseconds() > known.closure.created_at.ToNanoseconds():
            newest[row.id.name] = row
    return list(newest.values())


def _active(stub: AdminServiceStub, wanted: Identifier, listing: Listing) -> Sequence[Any]:
    if wanted.name:
        name = NamedEntityIdentifier(project=wanted.project, domain=wanted.domain, name=wanted.name)
        try:
            return [stub.GetActiveLaunchPlan(ActiveLaunchPlanRequest(id=name), timeout=CALL_SECONDS)]
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            fix = f"`flyte launchplan activate {wanted.name} VERSION` makes one so"
            raise NotFound(f"{urn(wanted)}: no version of it is active; {fix}") from error
    request = ActiveLaunchPlanListRequest(project=wanted.project, domain=wanted.domain, sort_by=listing.sort)
    return list(pages(stub.ListActiveLaunchPlans, request, "launch_plans", listing.limit))
