"""What runs now, and what each running node waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest, Sort
from flyteidl.admin.execution_pb2 import Execution
from flyteidl.admin.node_execution_pb2 import NodeExecution
from flyteidl.admin.signal_pb2 import SignalListRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.execution_pb2 import NodeExecution as NodePhases
from flyteidl.core.execution_pb2 import TaskExecution as TaskPhases
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from flyte_cli.client.paging import pages
from flyte_cli.executions.node_names import NodeNames
from flyte_cli.executions.node_tree import attempts, walk
from flyte_cli.executions.terminal_phases import TERMINAL, TERMINAL_NODES, TERMINAL_TASKS
from flyte_cli.showing.times import seconds_of

NEWEST_FIRST = Sort(key="created_at", direction=Sort.DESCENDING)
LIVE = "value_in(phase,{})".format(
    ";".join(name for name, number in WorkflowExecution.Phase.items() if number not in TERMINAL)
)
LIVE_NODES = "value_in(phase,{})".format(
    ";".join(name for name, number in NodePhases.Phase.items() if number not in TERMINAL_NODES)
)


@dataclass(frozen=True, slots=True)
class Running:
    """Something that has not ended: an execution, or a node of one.

    :ivar node: empty for the execution itself
    :ivar depth: of a node within the tree, from 0
    :ivar runs: launch plan of an execution, task or name of a node
    :ivar seconds: since it started, or was created
    :ivar waiting_for: in words; empty where the parts of it say that
    """

    execution: str
    node: str
    depth: int
    runs: str
    phase: str
    seconds: float
    waiting_for: str


class RunningReader:
    """Looks at what runs in a project and domain."""

    def __init__(self, admin: AdminServiceStub, signals: SignalServiceStub) -> None:
        self._admin = admin
        self._signals = signals
        self._names = NodeNames(admin)

    def look(self, project: str, domain: str, limit: int, at: datetime) -> Iterator[Running]:
        """Yield the newest executions that have not ended, each before its nodes that have not ended either.

        :param limit: executions at most
        :param at: the time
        """
        where = NamedEntityIdentifier(project=project, domain=domain)
        request = ResourceListRequest(id=where, filters=LIVE, sort_by=NEWEST_FIRST)
        for row in pages(self._admin.ListExecutions, request, "executions", limit):
            yield from self.of_execution(row, at)

    def of_execution(self, row: Execution, at: datetime) -> Iterator[Running]:
        """Yield an execution, and its nodes that have not ended."""
        nodes = list(walk(self._admin, row.id, filters=LIVE_NODES))
        phase = WorkflowExecution.Phase.Name(row.closure.phase)
        waiting = "" if nodes else "the data plane"
        seconds = seconds_of(row.closure, at)
        yield Running(row.id.name, "", 0, row.spec.launch_plan.name, phase, seconds, waiting)
        for node in nodes:
            identifier, closure = node.row.id, node.row.closure
            tried = list(attempts(self._admin, identifier))
            yield Running(
                execution=identifier.execution_id.name,
                node=identifier.node_id,
                depth=node.depth,
                runs=tried[-1].id.task_id.name if tried else "" if node.is_inner else self._names.of(node.row),
                phase=NodePhases.Phase.Name(closure.phase),
                seconds=seconds_of(closure, at),
                waiting_for=self._waiting_for(node.row, tried),
            )

    def _waiting_for(self, node: NodeExecution, tried: list[TaskExecution]) -> str:
        child = node.closure.workflow_node_metadata.executionId
        if child.name:
            return f"execution {child.name}"
        if node.metadata.is_parent_node:
            return ""
        if tried:
            return attempt_text(tried[-1])
        if node.closure.phase != NodePhases.RUNNING:
            return "its start"
        open_signals = self._open_signals(node.id.execution_id)
        return f"signal {', '.join(open_signals)}" if open_signals else "the end of its sleep, or its first attempt"

    def _open_signals(self, execution: WorkflowExecutionIdentifier) -> list[str]:
        request = SignalListRequest(workflow_execution_id=execution)
        rows = pages(self._signals.ListSignals, request, "signals")
        return [row.id.signal_id for row in rows if not row.HasField("value")]


def attempt_text(attempt: TaskExecution) -> str:
    """Return what an attempt does or waits for; which attempt it is where it is not the first."""
    closure = attempt.closure
    number = f"attempt {attempt.id.retry_attempt}: " if attempt.id.retry_attempt else ""
    parts = closure.metadata.external_resources
    if parts and closure.phase == TaskPhases.RUNNING:
        ended = {part.index for part in parts if part.phase in TERMINAL_TASKS}
        return f"{number}its elements, of which {len(ended)} of {len({part.index for part in parts})} have ended"
    if closure.phase == TaskPhases.RUNNING:
        return f"{number}its task, which runs"
    reason = f": {closure.reason.strip()}" if closure.reason else ""
    return f"{number}{TaskPhases.Phase.Name(closure.phase).lower().replace('_', ' ')}{reason}"
