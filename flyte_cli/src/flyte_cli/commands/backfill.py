"""`flyte backfill`: runs a scheduled launch plan for the times of the past."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
from flyteidl.core.identifier_pb2 import ResourceType

from flyte_cli.client.remotes import remote
from flyte_cli.executions.waiting import report_started, wait_option
from flyte_cli.options.confirmation import dry_run_option
from flyte_cli.options.moments import date, duration
from flyte_cli.options.urns import entity_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import Table, output_option, print_data
from flyte_core.errors import FailedPrecondition, TooLarge
from flyte_kit.core.workflow import WorkflowFailurePolicy
from flyte_kit.remote.backfill import scheduled_times
from flyte_kit.remote.entities import FlyteLaunchPlan

MOST_STEPS = 50_000
"""As many nodes a workflow may have by default."""


@click.command()
@click.argument("launchplan")
@click.argument("launchplan_version", default="")
@click.option("-v", "--version", help="Of the workflow that is registered; made of plan, dates and order without it.")
@click.option("-n", "--execution-name", "--name", help="Of the execution; a name that was used starts nothing new.")
@click.option("--parallel/--serial", help="Whether the steps do not wait for each other.", show_default=True)
@click.option(
    "--execute/--do-not-execute", default=True, help="Whether the workflow is started too.", show_default=True
)
@click.option("--from-date", type=date, help="Steps are after this: 2024-01-31, 'now - 7d', …")
@click.option("--to-date", type=date, help="Steps are not after this.")
@click.option("--backfill-window", type=duration, help="In place of one of the dates: 7d, '10 days', PT12H.")
@click.option(
    "--fail-fast/--no-fail-fast", default=True, help="Whether a step that fails ends the others.", show_default=True
)
@click.option("--overwrite-cache", is_flag=True, help="Run cached tasks too, and replace what the cache holds.")
@wait_option
@dry_run_option
@project_option
@domain_option
@output_option
def command(
    launchplan: str,
    launchplan_version: str,
    version: str | None,
    execution_name: str | None,
    parallel: bool,
    execute: bool,
    from_date: datetime | None,
    to_date: datetime | None,
    backfill_window: timedelta | None,
    fail_fast: bool,
    overwrite_cache: bool,
    wait: bool,
    dry_run: bool,
    project: str,
    domain: str,
    output: str,
) -> None:
    """Run LAUNCHPLAN for each time of its schedule within a window, as one workflow with a step for each time.

    The window is given by two of --from-date, --to-date and --backfill-window. Without a version the newest is meant.
    """
    start, end = window(from_date, to_date, backfill_window)
    with remote(project, domain) as client:
        wanted = entity_id(ResourceType.LAUNCH_PLAN, launchplan, project, domain, launchplan_version)
        plan = client.fetch_launch_plan(wanted.project, wanted.domain, wanted.name, wanted.version or None)
        times = steps(plan, start, end)
        if dry_run:
            _print_steps(plan, times, output)
            return
        policy = WorkflowFailurePolicy
        done = client.launch_backfill(
            wanted.project,
            wanted.domain,
            start,
            end,
            plan.name,
            plan.version,
            execution_name=execution_name,
            version=version,
            execute=execute,
            parallel=parallel,
            overwrite_cache=overwrite_cache,
            failure_policy=policy.FAIL_IMMEDIATELY if fail_fast else policy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE,
        )
        if execute:
            report_started(client, done.message, wait=wait, output=output)
        elif output == "table":
            click.echo(f"{done.name}: version {done.version} is registered, with {len(times)} step(s)")
        else:
            where = {"project": done.id.project, "domain": done.id.domain}
            print_data({"id": {**where, "name": done.name, "version": done.version}, "steps": len(times)}, output)


def window(from_date: datetime | None, to_date: datetime | None, length: timedelta | None) -> tuple[datetime, datetime]:
    """Return begin and end of what two of the three say.

    :raises click.UsageError: if not just two are given, or the end is not after the begin
    """
    if sum(each is not None for each in (from_date, to_date, length)) != 2:
        raise click.UsageError("give two of --from-date, --to-date and --backfill-window")
    try:
        if from_date is None and to_date is not None and length is not None:
            from_date = to_date - length
        elif to_date is None and from_date is not None and length is not None:
            to_date = from_date + length
    except OverflowError as error:
        raise click.UsageError("--backfill-window is longer than there are years") from error
    assert from_date is not None
    assert to_date is not None
    if from_date >= to_date:
        raise click.UsageError(f"--to-date {to_date.isoformat()} is not after --from-date {from_date.isoformat()}")
    return from_date, to_date


def steps(plan: FlyteLaunchPlan, start: datetime, end: datetime) -> list[datetime]:
    """Return the times of a plan's schedule.

    :raises flyte_core.errors.FailedPrecondition: if there are none
    :raises flyte_core.errors.TooLarge: if they are more than one workflow can have
    """
    times = []
    for moment in scheduled_times(plan.spec.entity_metadata.schedule, start, end):
        times.append(moment)
        if len(times) > MOST_STEPS:
            raise TooLarge(
                f"the schedule of {plan.name} has more than {MOST_STEPS} times between {start.isoformat()} and "
                f"{end.isoformat()}: backfill shorter windows, one after the other"
            )
    if not times:
        raise FailedPrecondition(
            f"the schedule of {plan.name} has no time between {start.isoformat()} and {end.isoformat()}"
        )
    return times


def _print_steps(plan: FlyteLaunchPlan, times: list[datetime], output: str) -> None:
    rows = [{"step": f"b-{index}", "time": moment.isoformat()} for index, moment in enumerate(times)]
    if output == "table":
        Table([("STEP", lambda row: row["step"]), ("TIME", lambda row: row["time"])]).print(rows)
    else:
        print_data({"launch_plan": {"name": plan.name, "version": plan.version}, "steps": rows}, output)
