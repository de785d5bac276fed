"""`flyte logs`: what tasks wrote, attempt by attempt."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import click
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import admin
from flyte_cli.client.patience import Patience
from flyte_cli.executions.log_streams import LogSource, LogStream, log_sources
from flyte_cli.executions.node_tree import TreeNode, attempts, walk
from flyte_cli.executions.reading import get_execution
from flyte_cli.executions.terminal_phases import is_ended
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.completion_values import nodes as known_nodes
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_core.errors import NotFound

POLL_SECONDS = 0.5


@click.command()
@click.argument("execution", shell_complete=known_executions)
@click.argument("node", default="", shell_complete=known_nodes)
@click.option(
    "-n", "--node", "more_nodes", multiple=True, metavar="NODE", help="Only this node; may be given many times."
)
@click.option("--attempt", type=click.IntRange(min=0), help="Only this attempt, counted from 0.")
@click.option(
    "--tail",
    "--since-lines",
    type=click.IntRange(min=0),
    metavar="LINES",
    help="Of each log begin so many lines before its end.",
)
@click.option("-f", "--follow", is_flag=True, help="Go on until the execution ends.")
@project_option
@domain_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format; JSON is one line for each piece of a log with --follow, else one list.",
)
def command(
    execution: str,
    node: str,
    more_nodes: tuple[str, ...],
    attempt: int | None,
    tail: int | None,
    follow: bool,
    project: str,
    domain: str,
    output: str,
) -> None:
    """Print the logs of EXECUTION, of one NODE and what is below it where given, oldest attempt first.

    Nodes of sub-workflows, of dynamic tasks and of executions that launch plan nodes have launched are among them.
    Blank lines before the first line of a log are left out: flytekit writes one ahead of every task.
    """
    wanted = execution_id(execution, project, domain)
    reader = LogReader({*more_nodes, *filter(None, (node,))}, attempt, tail)
    printer = TextPrinter(wanted.name) if output == "text" else JsonPrinter(as_lines=follow)
    patience = Patience()
    with admin() as stub:

        def look() -> bool:
            """Print what is new; return whether nothing more can come."""
            ended = is_ended(get_execution(stub, wanted).closure)
            for source, stream in reader.streams(stub, wanted):
                printer.print_new(source, stream)
            return ended

        while not (ended := patience.look(look)) and follow:
            time.sleep(POLL_SECONDS)
    printer.end()
    for stream in reader.opened.values():
        if stream.problem:
            click.echo(f"flyte: a log cannot be shown: {stream.problem}", err=True)
    if not reader.opened:
        raise NotFound(_nothing(wanted.name, sorted(reader.nodes), ended=ended))


def _nothing(execution: str, nodes: list[str], *, ended: bool) -> str:
    where = " ".join((execution, *nodes))
    hint = f"; `flyte get nodes {execution}` lists its nodes" if nodes else ""
    return (
        f"{where}: it has no logs" if ended else f"{where}: no task of it has a log yet; wait for them with -f"
    ) + hint


@dataclass
class LogReader:
    """Finds the logs of an execution again and again, and leaves out those that hold nothing new.

    :ivar nodes: ids of the nodes that are wanted, with all below them; all nodes if empty
    :ivar opened: the logs found so far, by address
    """

    nodes: Collection[str]
    attempt: int | None
    tail: int | None
    opened: dict[str, LogStream] = field(default_factory=dict)
    _finished: set[tuple[tuple[str, str], ...]] = field(default_factory=set)

    def streams(
        self, stub: AdminServiceStub, execution: WorkflowExecutionIdentifier
    ) -> Iterator[tuple[LogSource, LogStream]]:
        """Yield every log that may hold something new."""
        for node in walk(stub, execution):
            if node.path in self._finished or not self._is_wanted(node, execution.name):
                continue
            read = []
            for row in attempts(stub, node.row.id):
                for source in self._sources(row):
                    read.append(self.opened.setdefault(source.uri, LogStream(source.uri, self.tail)))
                    yield source, read[-1]
            if is_ended(node.row.closure) and not any(stream.problem for stream in read):
                self._finished.add(node.path)

    def _is_wanted(self, node: TreeNode, execution: str) -> bool:
        return not self.nodes or any(name == execution and node_id in self.nodes for name, node_id in node.path)

    def _sources(self, row: TaskExecution) -> Iterator[LogSource]:
        return (each for each in log_sources(row) if self.attempt is None or each.attempt == self.attempt)


class TextPrinter:
    """Prints what is new in logs, each under a heading that begins a line.

    :param execution: name of the one that is not named in headings
    """

    def __init__(self, execution: str) -> None:
        self._execution = execution
        self._seen: set[str] = set()
        self._with_text: set[str] = set()
        self._last = ""
        self._ends_line = True

    def print_new(self, source: LogSource, stream: LogStream) -> None:
        """Print what a log holds beyond what has been printed."""
        if source.uri not in self._seen:
            self._seen.add(source.uri)
            self._heading(source)
        for piece in stream.new():
            text = piece if source.uri in self._with_text else piece.lstrip(b"\r\n")
            if not text:
                continue
            self._with_text.add(source.uri)
            if self._last != source.uri:
                self._heading(source)
            self._write(text)
        sys.stdout.buffer.flush()

    def end(self) -> None:
        """Begin a new line, unless this is the beginning of one."""
        if not self._ends_line:
            self._write(b"\n")
        sys.stdout.buffer.flush()

    def _heading(self, source: LogSource) -> None:
        self.end()
        self._last = source.uri
        element = f" [{source.element}]" if source.element else ""
        execution = "" if source.execution == self._execution else f"{source.execution} "
        click.secho(f"==> {execution}{source.node}{element} attempt {source.attempt} <==", bold=True)

    def _write(self, text: bytes) -> None:
        self._ends_line = text.endswith(b"\n")
        sys.stdout.buffer.write(text)


class JsonPrinter:
    """Prints logs as data.

    :param as_lines: a line of JSON for each piece, at once; else one list at the end
    """

    def __init__(self, *, as_lines: bool) -> None:
        self._as_lines = as_lines
        self._texts: dict[str, dict[str, Any]] = {}

    def print_new(self, source: LogSource, stream: LogStream) -> None:
        """Print or keep what a log holds beyond what was read."""
        text = b"".join(stream.new()).decode(errors="replace")
        row = self._texts.setdefault(source.uri, {**_as_data(source), "text": ""})
        if not self._as_lines:
            row["text"] += text
        elif text:
            click.echo(json.dumps({**row, "text": text}, ensure_ascii=False))
            sys.stdout.flush()

    def end(self) -> None:
        """Print what has been kept."""
        if not self._as_lines:
            click.echo(json.dumps(list(self._texts.values()), ensure_ascii=False, indent=2))


def _as_data(source: LogSource) -> dict[str, Any]:
    return {
        "execution": source.execution,
        "node": source.node,
        "attempt": source.attempt,
        "element": source.element,
        "log": source.name,
        "uri": source.uri,
    }
