"""One evaluation under way: collects what changes, in order. Lives only inside a call of ``evaluate``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution

from flyte_core.phases import NodePhase, TaskPhase, WorkflowPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.effects import DeleteTask, Effect, RecordEvent, Step
from flyte_propeller.machine.event_requests import node_event, task_event, workflow_event
from flyte_propeller.machine.facts import Facts
from flyte_propeller.machine.moves import node_move, workflow_move
from flyte_propeller.machine.state import NodeState, Settled, WorkflowState
from flyte_propeller.machine.workflow import Node, Workflow


class Turn:
    """The state as changed so far, and the effects so far."""

    def __init__(self, workflow: Workflow, state: WorkflowState, facts: Facts) -> None:
        self.workflow = workflow
        self.before = state
        self.state = state
        self.facts = facts
        self.now: datetime = facts.now
        self.effects: list[Effect] = []
        self.touched: set[int] = set()
        self.save = False

    def step(self) -> Step:
        """Return the result."""
        return Step(self.state, tuple(self.effects), frozenset(self.touched), self.save)

    def node(self, index: int) -> Node:
        """Return the node of that index."""
        return self.workflow.nodes[index]

    # -- the workflow

    def move_workflow(self, phase: WorkflowPhase) -> None:
        """Change the workflow's phase."""
        ended = phase in (WorkflowPhase.SUCCESS, WorkflowPhase.FAILED, WorkflowPhase.ABORTED)
        self.state = replace(
            self.state,
            phase=workflow_move(self.state.phase, phase),
            stopped_at=self.now if ended else self.state.stopped_at,
        )
        self.save = True

    def report_workflow(self, phase: int, error: ExecutionError | None = None) -> None:
        """Record an event of the workflow."""
        if not self.state.muted:
            self.effects.append(RecordEvent(workflow_event(self.workflow, phase, self.now, error=error)))

    # -- nodes

    def keep(self, index: int, node: NodeState) -> None:
        """Store the state of an active node."""
        self.state = replace(self.state, active=self.state.active.set(index, node))
        self.touched.add(index)
        self.save = True

    def settle(self, index: int, phase: NodePhase, attempt: int = 0) -> None:
        """End a node; downstream nodes whose upstreams have now all ended well become ready."""
        state = self.state
        known = state.active.get(index)
        before = known.phase if known is not None else NodePhase.NOT_YET_STARTED
        node_move(before, phase)
        if known is not None:
            state = replace(
                state,
                active=state.active.delete(index),
                running=state.running - (known.task is not None),
            )
        self.state = replace(state, settled=state.settled.set(index, Settled(phase, attempt)))
        self.touched.add(index)
        self.save = True
        if phase is NodePhase.SUCCEEDED:
            self._release(index)

    def _release(self, index: int) -> None:
        ready = []
        waiting = self.state.waiting
        for downstream in self.node(index).downstream:
            left = waiting.get(downstream, len(self.node(downstream).upstream)) - 1
            if left:
                waiting = waiting.set(downstream, left)
                continue
            ready.append(downstream)
            if downstream in waiting:
                waiting = waiting.delete(downstream)
        self.state = replace(self.state, waiting=waiting, ready=self.state.ready.push(tuple(ready)))

    def report_node(self, index: int, phase: int, attempt: int = 0, error: ExecutionError | None = None) -> None:
        """Record an event of a node."""
        if not self.state.muted:
            request = node_event(self.workflow, self.node(index), phase, self.now, attempt=attempt, error=error)
            self.effects.append(RecordEvent(request, index))

    def report_task(self, index: int, attempt: int, info: PhaseInfo) -> None:
        """Record an event of an attempt."""
        if not self.state.muted:
            request = task_event(self.workflow, self.node(index), attempt, info, self.now)
            self.effects.append(RecordEvent(request, index))

    def delete_attempt(self, index: int, attempt: int, token: str) -> None:
        """Have what ran the attempt deleted, until nothing of it is left."""
        self.state = replace(self.state, cleanup=self.state.cleanup.set((index, attempt), token))
        self.effects.append(DeleteTask(index, attempt, token))
        self.save = True

    def abort_node(self, index: int, reason: str) -> None:
        """End an active node because the execution ends."""
        node = self.state.active[index]
        if node.task is not None:
            task_error = ExecutionError(code="Task Aborted", message=reason, kind=ExecutionError.SYSTEM)
            if node.task.token:
                self.report_task(index, node.attempt, PhaseInfo(TaskPhase.ABORTED, error=task_error))
            self.delete_attempt(index, node.attempt, node.task.token)
        error = ExecutionError(code="NodeAborted", message=reason, kind=ExecutionError.SYSTEM)
        self.report_node(index, NodeExecution.ABORTED, node.attempt, error)
        self.settle(index, NodePhase.FAILED, node.attempt)
