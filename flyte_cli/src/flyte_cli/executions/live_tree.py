"""Follows an execution: a tree of its nodes on a terminal, a line for every change elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from flyteidl.admin.execution_pb2 import Execution, WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import NodeExecution as Node
from flyteidl.core.execution_pb2 import NodeExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from rich.console import Console
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.executions.node_names import NodeNames
from flyte_cli.executions.node_tree import TreeNode, last_line, walk, with_whole_error
from flyte_cli.executions.terminal_phases import TERMINAL, TERMINAL_NODES
from flyte_cli.showing.times import duration_text, now, seconds_of

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two looks: they slow down with the age of the execution, and with what a look costs."""
AGE_SHARE, COST_SHARE = 0.02, 3.0
FRAMES_PER_SECOND = 8
ENDS = {"start-node", "end-node"}
MARKS = {
    NodeExecution.SUCCEEDED: ("✓", "green"),
    NodeExecution.RECOVERED: ("✓", "green"),
    NodeExecution.FAILED: ("✗", "red"),
    NodeExecution.FAILING: ("✗", "red"),
    NodeExecution.TIMED_OUT: ("✗", "red"),
    NodeExecution.ABORTED: ("■", "yellow"),
    NodeExecution.SKIPPED: ("-", "bright_black"),
    NodeExecution.QUEUED: ("○", "bright_black"),
}
RUNNING_MARK = ("●", "cyan")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at an execution found."""

    execution: Execution
    nodes: Sequence[TreeNode]


def follow(
    stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, *, quiet: bool = False, seconds: float | None = None
) -> Execution:
    """Show an execution until it has ended and return it.

    :param quiet: show nothing
    :param seconds: longest time; None for any
    :raises click.ClickException: after that time, or on Ctrl-C: the execution goes on
    """
    console = Console()
    shown: _Quiet | _Lines | _Picture = _Quiet()
    if not quiet:
        shown = _Picture(console, NodeFacts(stub)) if console.is_terminal else _Lines(NodeFacts(stub))
    last: Execution | None = None
    try:
        with shown:
            for look in _looks(stub, wanted, with_nodes=not quiet, seconds=seconds):
                last = look.execution
                shown.show(look)
    except KeyboardInterrupt:
        raise click.ClickException(
            f"{wanted.name} goes on without you: `flyte get executions {wanted.name} --watch` looks at it, "
            f"`flyte terminate {wanted.name}` ends it"
        ) from None
    assert last is not None, "there is at least one look"
    if last.closure.phase not in TERMINAL:
        raise click.ClickException(f"{wanted.name}: not ended after {seconds:g} s; `flyte wait {wanted.name}` waits on")
    return last


def _looks(
    stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, *, with_nodes: bool, seconds: float | None
) -> Iterator[Look]:
    begin = time.monotonic()
    while True:
        asked = time.monotonic()
        execution = stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS)
        yield Look(execution, list(walk(stub, wanted)) if with_nodes else ())
        if execution.closure.phase in TERMINAL:
            return
        cost, age = time.monotonic() - asked, time.monotonic() - begin
        if seconds is not None and age > seconds:
            return
        time.sleep(max(min(LONGEST_PAUSE, max(FIRST_PAUSE, AGE_SHARE * age)), COST_SHARE * cost))


class NodeFacts:
    """What lists of nodes do not tell: their names, and error messages whole. Each is read once."""

    def __init__(self, stub: AdminServiceStub) -> None:
        self._stub, self._names = stub, NodeNames(stub)
        self._errors: dict[tuple[str, str], str] = {}

    def name(self, row: Node) -> str:
        """Return what its author calls it."""
        return self._names.of(row)

    def error(self, row: Node) -> str:
        """Return the last line of its error; empty without one."""
        if not row.closure.HasField("error"):
            return ""
        key = (row.id.execution_id.name, row.id.node_id)
        if key not in self._errors:
            self._errors[key] = last_line(with_whole_error(self._stub, row).closure.error.message)
        return self._errors[key]


class _Quiet:
    def __enter__(self) -> None:
        """Show nothing."""

    def __exit__(self, *_: object) -> None:
        """Leave nothing."""

    def show(self, look: Look) -> None:
        """Show nothing."""


class _Lines(_Quiet):
    """A line for every node that has moved."""

    def __init__(self, facts: NodeFacts) -> None:
        self._facts = facts
        self._seen: dict[tuple[str, str], int] = {}
        self._begin = time.monotonic()

    def show(self, look: Look) -> None:
        """Print what is new."""
        for node in _shown_nodes(look):
            key, phase = (node.row.id.execution_id.name, node.row.id.node_id), node.row.closure.phase
            if self._seen.get(key) == phase:
                continue
            self._seen[key] = phase
            spent = time.monotonic() - self._begin
            name = self._facts.name(node.row)
            text = f"  {spent:6.1f} s  {'  ' * node.depth}{node.row.id.node_id:<10} {name:<24} {_phase(node)}"
            error = self._facts.error(node.row)
            click.echo(f"{text}  {error}".rstrip())
        if look.execution.closure.phase in TERMINAL:
            click.echo(_summary(look))
        sys.stdout.flush()


class _Picture(_Quiet):
    """A tree that is drawn anew while it grows."""

    def __init__(self, console: Console, facts: NodeFacts) -> None:
        self._console, self._facts = console, facts
        self._live = Live(console=console, refresh_per_second=FRAMES_PER_SECOND, transient=False)

    def __enter__(self) -> None:
        self._live.__enter__()

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def show(self, look: Look) -> None:
        """Draw the tree; of one that does not fit on the screen what still moves or has failed."""
        ended = look.execution.closure.phase in TERMINAL
        tree = Tree(Text(_summary(look), style="bold"))
        branches = {-1: tree}
        nodes, hidden = _fitting(list(_shown_nodes(look)), self._console.height - 4)
        for node in nodes:
            parent = branches[max(depth for depth in branches if depth < node.depth)]
            branches = {depth: branch for depth, branch in branches.items() if depth < node.depth}
            branches[node.depth] = parent.add(self._label(node))
        if hidden:
            counted = ", ".join(f"{count} {phase}" for phase, count in sorted(hidden.items()))
            tree.add(Text(f"… and {counted}", style="bright_black"))
        self._live.update(tree, refresh=ended)

    def _label(self, node: TreeNode) -> Text:
        mark, style = MARKS.get(node.row.closure.phase, RUNNING_MARK)
        spent = duration_text(seconds_of(node.row.closure, now()))
        label = Text(f"{mark} ", style=style)
        label.append(f"{node.row.id.node_id}  ", style="bright_black")
        label.append(f"{self._facts.name(node.row)}  ", style="default")
        label.append(_phase(node), style=style)
        label.append(f"  {spent}", style="bright_black")
        if error := self._facts.error(node.row):
            label.append(f"  {error}", style="red")
        return label


def _fitting(nodes: list[TreeNode], height: int) -> tuple[list[TreeNode], Counter[str]]:
    """Return what fits into so many lines, and how many of which phase do not."""
    hidden: Counter[str] = Counter()
    if len(nodes) <= height:
        return nodes, hidden
    dull = {NodeExecution.SUCCEEDED, NodeExecution.SKIPPED, NodeExecution.RECOVERED}
    kept = [node for node in nodes if node.row.closure.phase not in dull][:height]
    chosen = {id(node) for node in kept}
    hidden.update(_phase(node) for node in nodes if id(node) not in chosen)
    return kept, hidden


def _shown_nodes(look: Look) -> Iterator[TreeNode]:
    return (node for node in look.nodes if (node.row.metadata.spec_node_id or node.row.id.node_id) not in ENDS)


def _phase(node: TreeNode) -> str:
    return str(NodeExecution.Phase.Name(node.row.closure.phase))


def _summary(look: Look) -> str:
    row = look.execution
    phase = WorkflowExecution.Phase.Name(row.closure.phase or WorkflowExecution.QUEUED)  # accepted, not yet begun
    nodes = [node for node in _shown_nodes(look) if not node.row.metadata.is_parent_node]
    ended = sum(node.row.closure.phase in TERMINAL_NODES for node in nodes)
    spent = duration_text(seconds_of(row.closure, now()))
    return f"{row.id.name}  {row.spec.launch_plan.name}  {phase}  {ended} of {len(nodes)} nodes  {spent}"
