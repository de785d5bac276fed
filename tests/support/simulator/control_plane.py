"""The control plane of the simulated world: keeps upstream's rules about what an event may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flyteidl.admin.event_pb2 import NodeExecutionEventRequest, TaskExecutionEventRequest
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution

from flyte_core.events import ExecutionEventRequest, Verdict
from flyte_propeller.shell.ports import EventReply
from flyte_propeller.testing import PastOf

ENDED_WORKFLOW = {WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED}
ENDED_NODE = {
    NodeExecution.SUCCEEDED,
    NodeExecution.FAILED,
    NodeExecution.ABORTED,
    NodeExecution.SKIPPED,
    NodeExecution.TIMED_OUT,
    NodeExecution.RECOVERED,
}
WELL_ENDED_NODE = {NodeExecution.SUCCEEDED, NodeExecution.RECOVERED}
ENDED_TASK = {TaskExecution.SUCCEEDED, TaskExecution.FAILED, TaskExecution.ABORTED}


@dataclass
class Recorded:
    """What is known of one execution, and the history of changes.

    :ivar elements: of maps: phase of each attempt of an element, by (node, element, attempt)
    """

    phase: int = WorkflowExecution.UNDEFINED
    code: str = ""
    workflow: list[int] = field(default_factory=list)
    nodes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    tasks: dict[tuple[str, int], list[tuple[int, int]]] = field(default_factory=dict)
    elements: dict[tuple[str, int, int], int] = field(default_factory=dict)


class ControlPlane:
    """Executions by name.

    :ivar past: what recoveries read
    """

    def __init__(self) -> None:
        self.executions: dict[str, Recorded] = {}
        self.past = PastOf([])

    def record(self, events: Sequence[ExecutionEventRequest]) -> list[EventReply]:
        """Take events in order, until the first that is refused."""
        replies = []
        for event in events:
            verdict = self._record(event)
            replies.append(EventReply(verdict))
            if verdict not in (Verdict.RECORDED, Verdict.ALREADY_RECORDED):
                break
        return replies

    def _record(self, request: ExecutionEventRequest) -> Verdict:
        event = request.event
        if isinstance(request, TaskExecutionEventRequest):
            execution = self.executions[event.parent_node_execution_id.execution_id.name]
            key = (event.parent_node_execution_id.node_id, event.retry_attempt)
            verdict = _put(execution.tasks.setdefault(key, []), (event.phase, event.phase_version), ENDED_TASK)
            if verdict is Verdict.RECORDED:
                for element in event.metadata.external_resources:
                    execution.elements[key[0], element.index, element.retry_attempt] = element.phase
            return verdict
        if isinstance(request, NodeExecutionEventRequest):
            execution = self.executions[event.id.execution_id.name]
            verdict = _put(execution.nodes.setdefault(event.id.node_id, []), (event.phase, 0), ENDED_NODE)
            if verdict is Verdict.RECORDED:
                self.past.take(request)
            return verdict
        execution = self.executions[event.execution_id.name]
        if event.phase == execution.phase or (event.phase in execution.workflow and event.phase not in ENDED_WORKFLOW):
            return Verdict.ALREADY_RECORDED
        if execution.phase in ENDED_WORKFLOW:
            return Verdict.TERMINAL
        execution.phase = event.phase
        execution.workflow.append(event.phase)
        execution.code = event.error.code
        return Verdict.RECORDED


def _put(history: list[tuple[int, int]], report: tuple[int, int], ended: set[int]) -> Verdict:
    phase, version = report
    if any(known == phase and seen >= version for known, seen in history):
        return Verdict.ALREADY_RECORDED
    if history and history[-1][0] in ended:
        return Verdict.TERMINAL
    history.append(report)
    return Verdict.RECORDED
