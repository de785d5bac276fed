"""Waits for executions, and tells how they ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import click
from flyteidl.admin.execution_pb2 import Execution, WorkflowExecutionGetRequest
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.executions.live_tree import follow
from flyte_cli.executions.node_tree import last_line
from flyte_cli.executions.terminal_phases import TERMINAL
from flyte_cli.options.moments import duration
from flyte_cli.showing.output import as_data, print_data
from flyte_cli.showing.times import duration_text
from flyte_kit.remote import FlyteRemote
from flyte_kit.remote.watching import FIRST_PAUSE, LONGEST_PAUSE, pauses

name_option = click.option("--name", help="Name of the new execution; one is made up where none is given.")
wait_option = click.option(
    "-f", "--follow", "--wait", "wait", is_flag=True, help="Show the nodes until it ends; exit code by its phase."
)
timeout_option = click.option("--timeout", type=duration, help="Wait no longer than this (90, 1h30m).")
poll_option = click.option(
    "--poll-interval",
    type=duration,
    default=str(LONGEST_PAUSE),
    show_default=True,
    help="Longest time between two looks; they begin at 0.2 s.",
)


def wait_until_ended(
    client: FlyteRemote,
    executions: Sequence[WorkflowExecutionIdentifier],
    on_end: Callable[[Execution], None] | None,
    *,
    timeout: timedelta | None = None,
    longest_pause: float = LONGEST_PAUSE,
) -> list[Execution]:
    """Return the executions once all of them have ended, in the order in which they were given.

    :param on_end: is called with each as soon as it is seen to have ended
    :raises click.ClickException: if it takes longer than ``timeout``; names those that run on
    """
    deadline = time.monotonic() + timeout.total_seconds() if timeout is not None else None
    ended: dict[str, Execution] = {}
    for pause in pauses(min(FIRST_PAUSE, longest_pause), longest_pause):
        for identifier in executions:
            key = str(identifier)
            if key not in ended:
                request = WorkflowExecutionGetRequest(id=identifier)
                seen: Execution = client.client.call(client.client.admin.GetExecution, request, timeout=CALL_SECONDS)
                if seen.closure.phase in TERMINAL:
                    ended[key] = seen
                    if on_end is not None:
                        on_end(seen)
        running = [identifier.name for identifier in executions if str(identifier) not in ended]
        if not running:
            return [ended[str(identifier)] for identifier in executions]
        if deadline is not None and time.monotonic() + pause > deadline:
            raise click.ClickException(
                f"{', '.join(running)}: not ended after {timeout}; wait on with `flyte wait`, or end it with "
                "`flyte terminate`"
            )
        time.sleep(pause)
    raise AssertionError("pauses never end")


def check_succeeded(executions: Sequence[Execution]) -> None:
    """Return if all of them have succeeded.

    :raises click.ClickException: if not; names each with its phase and error, and what to do next
    """
    bad = [row for row in executions if row.closure.phase != WorkflowExecution.SUCCEEDED]
    if bad:
        raise click.ClickException("\n".join(map(_ending, bad)))


def _ending(row: Execution) -> str:
    phase = WorkflowExecution.Phase.Name(row.closure.phase)
    reason = last_line(row.closure.error.message) or row.closure.abort_metadata.cause
    name = row.id.name
    return f"{name} {phase}{': ' if reason else ''}{reason} (see `flyte logs {name}`; `flyte recover {name}` goes on)"


def print_ended(row: Execution) -> None:
    """Print name, phase and duration on a line."""
    phase = WorkflowExecution.Phase.Name(row.closure.phase)
    click.echo(f"{row.id.name}  {phase}  {duration_text(row.closure.duration.ToTimedelta().total_seconds())}")


def report_started(client: FlyteRemote, started: Execution, *, wait: bool, output: str) -> None:
    """Print an execution that was started: its name, or all of it as JSON or YAML; after its end where ``wait``.

    :raises click.ClickException: if it was waited for and has not succeeded
    """
    if output == "table":
        click.echo(started.id.name)
    row = follow(client.client.admin, started.id, quiet=output != "table") if wait else started
    if output != "table":
        print_data(as_data(row), output)
    if wait:
        check_succeeded([row])
