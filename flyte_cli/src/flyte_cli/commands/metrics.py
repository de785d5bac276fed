"""`flyte metrics`: where the time of an execution went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetMetricsRequest
from flyteidl.core.metrics_pb2 import Span

from flyte_cli.client.connection import CALL_SECONDS, admin
from flyte_cli.executions.reading import get_execution
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import Table, output_option, print_data
from flyte_cli.showing.times import iso_text

depth_option = click.option(
    "--depth", type=click.IntRange(min=-1), default=-1, show_default=True, help="Levels below the execution; -1: all."
)


@click.group()
def command() -> None:
    """Tell where the time of an execution went."""


@command.command()
@click.argument("execution", shell_complete=known_executions)
@project_option
@domain_option
@depth_option
@output_option
def dump(execution: str, project: str, domain: str, depth: int, output: str) -> None:
    """Sum up the time of EXECUTION for each node and attempt: setup, running, teardown."""
    data = _summed(_spans(execution, project, domain, depth))
    if output != "table":
        print_data(data, output)
        return
    Table(
        (
            ("ENTITY", lambda row: "  " * row["depth"] + row["entity"]),
            ("SECONDS", lambda row: f"{row['seconds']:.3f}"),
            ("OF WHICH", lambda row: ", ".join(f"{name} {value:.3f}" for name, value in row["operations"].items())),
        )
    ).print(list(_flat(data)))


@command.command()
@click.argument("execution", shell_complete=known_executions)
@project_option
@domain_option
@depth_option
@output_option
def explain(execution: str, project: str, domain: str, depth: int, output: str) -> None:
    """List every span of time of EXECUTION: when it began and ended, and what it belongs to."""
    rows = list(_operations(_spans(execution, project, domain, depth)))
    if output != "table":
        print_data(rows, output)
        return
    Table(
        (
            ("OPERATION", lambda row: row["operation"]),
            ("START", lambda row: row["start"]),
            ("END", lambda row: row["end"]),
            ("SECONDS", lambda row: f"{row['seconds']:.3f}"),
            ("ENTITY", lambda row: row["entity"]),
        )
    ).print(rows)


def _spans(execution: str, project: str, domain: str, depth: int) -> Span:
    wanted = execution_id(execution, project, domain)
    request = WorkflowExecutionGetMetricsRequest(id=wanted, depth=depth)
    with admin() as stub:
        get_execution(stub, wanted)
        span: Span = stub.GetExecutionMetrics(request, timeout=CALL_SECONDS).span
    return span


def _entity(span: Span) -> str:
    """Return what a span belongs to: ``execution``, ``execution/node`` or ``execution/node/attempt``."""
    match span.WhichOneof("id"):
        case "workflow_id":
            return str(span.workflow_id.name)
        case "node_id":
            return f"{span.node_id.execution_id.name}/{span.node_id.node_id}"
        case "task_id":
            node = span.task_id.node_execution_id
            return f"{node.execution_id.name}/{node.node_id}/{span.task_id.retry_attempt}"
        case _:
            return str(span.operation_id)


def _seconds(span: Span) -> float:
    nanoseconds: int = span.end_time.ToNanoseconds() - span.start_time.ToNanoseconds()
    return max(0.0, round(nanoseconds / 1e9, 6))  # Kubernetes cuts the start of a pod to a second: before its creation


def _summed(span: Span) -> dict[str, Any]:
    operations: dict[str, float] = {}
    parts = []
    for part in span.spans:
        if part.WhichOneof("id") == "operation_id":
            operations[part.operation_id] = round(operations.get(part.operation_id, 0.0) + _seconds(part), 6)
        else:
            parts.append(_summed(part))
    return {"entity": _entity(span), "seconds": _seconds(span), "operations": operations, "parts": parts}


def _flat(data: Mapping[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    yield {**data, "depth": depth}
    for part in data["parts"]:
        yield from _flat(part, depth + 1)


def _operations(span: Span) -> Iterator[dict[str, Any]]:
    for part in span.spans:
        if part.WhichOneof("id") == "operation_id":
            yield {
                "operation": part.operation_id,
                "start": iso_text(part.start_time),
                "end": iso_text(part.end_time),
                "seconds": _seconds(part),
                "entity": _entity(span),
            }
        else:
            yield from _operations(part)
