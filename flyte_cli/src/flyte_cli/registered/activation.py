"""Which version of a launch plan is active, and changing that."""

from __future__ import annotations

from dataclasses import dataclass

import click
from flyteidl.admin.launch_plan_pb2 import LaunchPlan, LaunchPlanState, LaunchPlanUpdateRequest
from flyteidl.core.identifier_pb2 import Identifier, ResourceType

from flyte_cli.options.urns import entity_id
from flyte_cli.registered.interfaces import schedule_text
from flyte_cli.showing.output import print_data
from flyte_kit.remote import FlyteRemote


@dataclass(frozen=True, slots=True)
class Activation:
    """What was done, or would be.

    :ivar plan: the version that it is about
    :ivar before: version that was active; empty if none was
    :ivar after: version that is active now; empty if none is
    :ivar done: False for a dry run
    """

    plan: LaunchPlan
    before: str
    after: str
    done: bool


def find_plan(
    client: FlyteRemote, name: str, version: str, project: str, domain: str, *, active: bool = False
) -> LaunchPlan:
    """Return a version of a launch plan: the one that is named, else the active one if ``active``, else the newest.

    :param name: a name, or ``lp:PROJECT:DOMAIN:NAME[:VERSION]``
    """
    wanted = entity_id(ResourceType.LAUNCH_PLAN, name, project, domain, version)
    where = (wanted.project, wanted.domain, wanted.name)
    found = client.fetch_active_launchplan(*where) if active and not wanted.version else None
    plan: LaunchPlan = (found or client.fetch_launch_plan(*where, wanted.version or None)).message
    return plan


def activate(client: FlyteRemote, plan: LaunchPlan, *, dry_run: bool) -> Activation:
    """Make a version the active one of its name."""
    before = _active_version(client, plan.id)
    _update(client, plan.id, LaunchPlanState.ACTIVE, dry_run=dry_run)
    return Activation(plan, before, plan.id.version, not dry_run)


def deactivate(client: FlyteRemote, plan: LaunchPlan, *, dry_run: bool) -> Activation:
    """Make a version inactive; another that is active stays so."""
    before = _active_version(client, plan.id)
    _update(client, plan.id, LaunchPlanState.INACTIVE, dry_run=dry_run)
    return Activation(plan, before, "" if before == plan.id.version else before, not dry_run)


def _active_version(client: FlyteRemote, plan: Identifier) -> str:
    active = client.fetch_active_launchplan(plan.project, plan.domain, plan.name)
    return active.version if active is not None else ""


def _update(client: FlyteRemote, plan: Identifier, state: int, *, dry_run: bool) -> None:
    if not dry_run:
        request = LaunchPlanUpdateRequest(id=plan, state=LaunchPlanState.ValueType(state))
        client.client.call(client.client.admin.UpdateLaunchPlan, request)


def report_activation(activation: Activation, output: str) -> None:
    """Print what was active and what is; the schedule that runs now, if one does."""
    plan = activation.plan.id
    schedule = schedule_text(activation.plan.spec.entity_metadata.schedule)
    if output != "table":
        data = {
            "id": {"project": plan.project, "domain": plan.domain, "name": plan.name, "version": plan.version},
            "active_before": activation.before or None,
            "active": activation.after or None,
            "schedule": schedule or None,
            "dry_run": not activation.done,
        }
        print_data(data, output)
        return
    verb = "is" if activation.done else "would be"
    now = f"version {activation.after}" if activation.after else "no version"
    before = f"version {activation.before}" if activation.before else "none"
    runs = f"; it runs by its schedule: {schedule}" if schedule and activation.after == plan.version else ""
    click.echo(f"{plan.name}: {now} {verb} active (before: {before}){runs}")
