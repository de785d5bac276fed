"""One evaluation under way: collects what changes, in order. Lives only inside a call of ``evaluate``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from flyteidl.core.catalog_pb2 import CatalogReservation
from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution
from flyteidl.event.event_pb2 import DynamicWorkflowNodeMetadata, ExternalResourceInfo, TaskNodeMetadata

from flyte_core.phases import TERMINAL_WORKFLOW_PHASES, NodePhase, WorkflowPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine import launch_plans
from flyte_propeller.machine.effects import DeleteTask, DropReservation, Effect, RecordEvent, Step
from flyte_propeller.machine.event_requests import node_event, task_event, tell_of_cache, workflow_event
from flyte_propeller.machine.facts import Facts
from flyte_propeller.machine.moves import node_move, workflow_move
from flyte_propeller.machine.state import NodeState, Settled, WorkflowState, is_dynamic
from flyte_propeller.machine.workflow import Node, Workflow

ENDED_WELL = frozenset({NodePhase.SUCCEEDED, NodePhase.RECOVERED})
"""An upstream node in one of these lets the next one start."""
RESERVED = CatalogReservation.RESERVATION_ACQUIRED
WALKED_PAST = ENDED_WELL | {NodePhase.SKIPPED}
"""The walk goes on behind a node in one of these; behind a failed one it ends (upstream's rule)."""


def in_place(node: Node, state: NodeState) -> bool:
    """Return whether an active node takes one of the places of ``max_parallelism``."""
    if node.array is not None:
        return state.attempt_started_at is not None and not node.array.inherits
    return state.task is not None and node.takes_place


class Turn:
    """The state as changed so far, and the effects so far.

    :ivar opening: gates that begin to wait when it is clear that the workflow goes on
    """

    def __init__(self, workflow: Workflow, state: WorkflowState, facts: Facts) -> None:
        self.workflow = workflow
        self._known = len(workflow.nodes)
        self.before = state
        self.state = state
        self.facts = facts
        self.now: datetime = facts.now
        self.effects: list[Effect] = []
        self.opening: list[int] = []
        self.touched: set[int] = set()
        self.save = False
        self.more = False
        self.told: dict[int, list[ExternalResourceInfo]] = {}
        """Array node → what became of its elements since its last event."""
        self.again: list[int] = []
        """Addresses of elements of whose last attempt nothing is left, and which are to be tried again."""

    def step(self) -> Step:
        """Return the result."""
        return Step(
            self.state,
            tuple(self.effects),
            grown=self.workflow.nodes[self._known :],
            touched=frozenset(self.touched),
            save=self.save,
            more=self.more,
        )

    def node(self, index: int) -> Node:
        """Return the node of that index, or the element of that address."""
        return self.workflow.at(index)

    # -- the workflow

    def move_workflow(self, phase: WorkflowPhase) -> None:
        """Change the workflow's phase."""
        ended = phase in TERMINAL_WORKFLOW_PHASES
        self.state = replace(
            self.state,
            phase=workflow_move(self.state.phase, phase),
            stopped_at=self.now if ended else self.state.stopped_at,
        )
        self.save = True

    def report_workflow(self, phase: int, error: ExecutionError | None = None, *, output_uri: str = "") -> None:
        """Record an event of the workflow."""
        if not self.state.muted:
            request = workflow_event(self.workflow, phase, self.now, error=error, output_uri=output_uri)
            self.effects.append(RecordEvent(request))

    # -- nodes

    def keep(self, index: int, node: NodeState) -> None:
        """Store the state of an active node."""
        self.state = replace(self.state, active=self.state.active.set(index, node))
        self.touched.add(index)
        self.save = True

    def settle(self, index: int, phase: NodePhase, attempt: int = 0) -> None:
        """End a node, while the workflow goes on: what waits for it becomes ready, or is skipped."""
        self.end_node(index, phase, attempt)
        ended = [index]
        while ended:
            for downstream in self.node(ended.pop()).downstream:
                if self._was_last_upstream(downstream) and self._skips(downstream):
                    self.report_node(downstream, NodeExecution.SKIPPED)
                    self.end_node(downstream, NodePhase.SKIPPED)
                    ended.append(downstream)

    def end_node(self, index: int, phase: NodePhase, attempt: int = 0) -> None:
        """End a node; nothing follows from it."""
        state = self.state
        known = state.active.get(index)
        node_move(known.phase if known is not None else NodePhase.NOT_YET_STARTED, phase)
        if known is not None:
            if known.cache is not None and phase not in ENDED_WELL and known.cache.reservation == RESERVED:
                self.effects.append(DropReservation(index))
            running = state.running - in_place(self.node(index), known)
            state = replace(state, active=state.active.delete(index), running=running)
        self.state = replace(state, settled=state.settled.set(index, Settled(phase, attempt)))
        self.touched.add(index)
        self.save = True

    def _was_last_upstream(self, index: int) -> bool:
        """Count one upstream node less. Cheap at any number of them: nobody looks at the others."""
        waiting = self.state.waiting
        left = waiting.get(index, len(self.node(index).upstream)) - 1
        if left:
            self.state = replace(self.state, waiting=waiting.set(index, left))
        elif index in waiting:
            self.state = replace(self.state, waiting=waiting.delete(index))
        return left == 0

    def _skips(self, index: int) -> bool:
        """Decide about a node whose upstreams have all ended: it is ready, or skipped, or never looked at."""
        phases = {self.state.settled[upstream].phase for upstream in self.node(index).upstream}
        if phases <= ENDED_WELL:
            self.state = replace(self.state, ready=self.state.ready.push((index,)))
            return False
        return bool(phases & WALKED_PAST) and not self.workflow.fail_immediately

    def report_node(
        self,
        index: int,
        phase: int,
        attempt: int = 0,
        error: ExecutionError | None = None,
        made: DynamicWorkflowNodeMetadata | None = None,
        catalog: TaskNodeMetadata | None = None,
    ) -> None:
        """Record an event of a node.

        :param made: the graph that a dynamic node begins with it
        :param catalog: what is known of its result, where that is more than its state says
        """
        if self.state.muted:
            return
        active, dynamic = self.state.active.get(index), made
        if made is None and self.is_dynamic(index):
            dynamic = DynamicWorkflowNodeMetadata()
        if catalog is None and active is not None and active.cache is not None:
            cache = active.cache
            catalog = TaskNodeMetadata(cache_status=cache.status, reservation_status=cache.reservation)
        node = self.node(index)
        request = node_event(self.workflow, node, phase, self.now, attempt=attempt, error=error, dynamic=dynamic)
        if catalog is not None:
            tell_of_cache(request.event, catalog)
        if active is not None and launch_plans.names_child(node, active, phase):
            child = launch_plans.child_execution(self.workflow, node, attempt)
            request.event.workflow_node_metadata.execution_id.CopyFrom(child)
        self.effects.append(RecordEvent(request, index))

    def is_dynamic(self, index: int) -> bool:
        """Return whether the task of this node has ended with a graph, which is awaited, runs or has run."""
        node = self.state.active.get(index)
        return node is not None and self.node(index).kind == "task" and is_dynamic(node)

    def report_task(self, index: int, node: NodeState, info: PhaseInfo) -> None:
        """Record an event of the node's current attempt; only those of tasks have events of their own."""
        if not self.state.muted and self.node(index).task is not None:
            known, failures = self.node(index), node.system_failures
            request = task_event(self.workflow, known, node.attempt, info, self.now, system_failures=failures)
            self.effects.append(RecordEvent(request, index))

    def delete_attempt(self, index: int, node: NodeState) -> None:
        """Have what ran the node's current attempt deleted, until nothing of it is left. A gate leaves nothing."""
        if node.task is None or self.node(index).gate is not None:
            return
        key, token = (index, node.attempt), node.task.token
        self.state = replace(self.state, cleanup=self.state.cleanup.set(key, token))
        self.effects.append(DeleteTask(*key, token))
        self.save = True

    def is_within(self, index: int, outer: int) -> bool:
        """Return whether the first node is within the second one, at whatever depth."""
        parent = self.node(index).parent
        while parent is not None and parent != outer:
            parent = self.node(parent).parent
        return parent is not None
