"""``evaluate``: what follows from what is known. Pure; the same arguments give the same step."""

from __future__ import annotations

from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution, WorkflowExecution

from flyte_core.phases import TERMINAL_WORKFLOW_PHASES, NodePhase, WorkflowPhase
from flyte_propeller.machine import task_nodes
from flyte_propeller.machine.effects import Ask, DeleteTask, Finish, RecordEvent, Step
from flyte_propeller.machine.event_requests import ending_event, failure
from flyte_propeller.machine.facts import BindingFailure, Facts, Refusal
from flyte_propeller.machine.state import NodeState, WorkflowState
from flyte_propeller.machine.turn import Turn
from flyte_propeller.machine.workflow import Workflow

STARTS_PER_ROUND = 100
"""Nodes that start in one round, at most: bounds the events and objects of a round, however wide the graph."""


def evaluate(workflow: Workflow, state: WorkflowState, facts: Facts) -> Step:
    """Return what follows from what is known now. The cost is that of what changed, not that of the graph.

    Facts about attempts that are no longer current are ignored. A terminal state only cleans up what is left outside.
    """
    turn = Turn(workflow, state, facts)
    for key in sorted(facts.gone):
        _take_gone(turn, key)
    if state.phase not in TERMINAL_WORKFLOW_PHASES:
        _advance(turn)
    if turn.state.phase in TERMINAL_WORKFLOW_PHASES:
        _clean_up(turn)
    return turn.step()


def _advance(turn: Turn) -> None:
    facts = turn.facts
    if facts.refusal is not None and facts.refusal.node is None:
        _close(turn, facts.refusal)
        return
    if facts.abort is not None:
        _abort(turn, facts.abort)
        return
    if turn.state.phase is WorkflowPhase.READY and not _begin(turn):
        return
    if turn.state.phase in (WorkflowPhase.RUNNING, WorkflowPhase.HANDLING_FAILURE_NODE):
        _take_facts(turn)
    if turn.state.phase is WorkflowPhase.RUNNING:
        _start_nodes(turn)
        _settle_workflow(turn)
    if turn.state.phase in (WorkflowPhase.FAILING, WorkflowPhase.HANDLING_FAILURE_NODE):
        _handle_failure(turn)


def _take_gone(turn: Turn, key: tuple[int, int]) -> None:
    if key in turn.state.cleanup:
        turn.state = replace(turn.state, cleanup=turn.state.cleanup.delete(key))
    index, attempt = key
    node = turn.state.active.get(index)
    running = turn.state.phase in (WorkflowPhase.RUNNING, WorkflowPhase.HANDLING_FAILURE_NODE)
    if node is not None and node.attempt == attempt + 1 and running and turn.facts.abort is None:
        task_nodes.next_attempt(turn, index)


def _begin(turn: Turn) -> bool:
    """Start the workflow once its inputs are written. Return False while they are not."""
    workflow = turn.workflow
    inputs = turn.facts.inputs.get(workflow.start)
    if inputs is None:
        turn.effects.append(Ask(workflow.start))
        return False
    turn.state = replace(turn.state, started_at=turn.now)
    turn.move_workflow(WorkflowPhase.RUNNING)
    turn.report_workflow(WorkflowExecution.RUNNING)
    if isinstance(inputs, BindingFailure):
        _fail_workflow(turn, failure("BindingResolutionFailure", inputs.message))
        return True
    turn.report_node(workflow.start, NodeExecution.SUCCEEDED)
    turn.settle(workflow.start, NodePhase.SUCCEEDED)
    free = tuple(
        n.index for n in workflow.nodes if not n.upstream and n.index not in (workflow.start, workflow.failure)
    )
    turn.state = replace(turn.state, ready=turn.state.ready.push(free))
    return True


def _take_facts(turn: Turn) -> None:
    facts = turn.facts
    if facts.refusal is not None and facts.refusal.node is not None:
        _refuse_node(turn, facts.refusal.node, facts.refusal.message)
    for key, launch in sorted(facts.launched.items(), key=lambda item: item[0]):
        _note(turn, key[0], task_nodes.take_launch(turn, key, launch))
    for key, info in sorted(facts.observed.items(), key=lambda item: item[0]):
        _note(turn, key[0], task_nodes.take_report(turn, key, info))
    for index in sorted(facts.timers):
        _note(turn, index, task_nodes.check_deadlines(turn, index))


def _refuse_node(turn: Turn, index: int, message: str) -> None:
    """An event of this node is invalid or too large for the control plane: the node fails (upstream's rule)."""
    node = turn.state.active.get(index)
    if node is not None:
        if node.task is not None:
            turn.delete_attempt(index, node.attempt, node.task.token)
        _note(turn, index, task_nodes.fail(turn, index, failure("NodeFailed", message)))


def _note(turn: Turn, index: int, error: ExecutionError | None) -> None:
    """Remember the first failure; fail the workflow at once where its policy says so."""
    if error is None or index == turn.workflow.failure:
        return
    if turn.state.error is None:
        turn.state = replace(turn.state, error=error)
    if turn.workflow.fail_immediately and turn.state.phase is WorkflowPhase.RUNNING:
        _fail_workflow(turn, error)


def _start_nodes(turn: Turn) -> None:
    """Queue nodes that are ready, and launch queued ones into free places."""
    for _ in range(STARTS_PER_ROUND):
        if not turn.state.ready or turn.state.phase is not WorkflowPhase.RUNNING:
            break
        index, rest = turn.state.ready.pop()
        if index not in turn.facts.inputs:
            _ask_ahead(turn)
            break
        turn.state = replace(turn.state, ready=rest)
        if index == turn.workflow.end:
            _end(turn)
        else:
            _note(turn, index, task_nodes.queue(turn, index))
    _launch_queued(turn)


def _ask_ahead(turn: Turn) -> None:
    """Ask for the inputs of the nodes that come next, so that they are resolved side by side."""
    queue = turn.state.ready
    for _ in range(STARTS_PER_ROUND):
        if not queue:
            break
        index, queue = queue.pop()
        if index not in turn.facts.inputs:
            turn.effects.append(Ask(index))


def _launch_queued(turn: Turn) -> None:
    limit = turn.workflow.max_parallelism
    while turn.state.queued and (not limit or turn.state.running < limit):
        if turn.state.phase is not WorkflowPhase.RUNNING:
            return
        index, rest = turn.state.queued.pop()
        turn.state = replace(turn.state, queued=rest)
        node = turn.state.active.get(index)
        if node is not None and node.phase is NodePhase.QUEUED and node.task is None:
            task_nodes.start_attempt(turn, index)


def _end(turn: Turn) -> None:
    inputs = turn.facts.inputs[turn.workflow.end]
    if isinstance(inputs, BindingFailure):
        error = failure("BindingResolutionFailure", inputs.message)
        turn.report_node(turn.workflow.end, NodeExecution.FAILED, error=error)
        turn.settle(turn.workflow.end, NodePhase.FAILED)
        turn.state = replace(turn.state, error=turn.state.error or error)
        _fail_workflow(turn, error)
        return
    turn.report_node(turn.workflow.end, NodeExecution.QUEUED)
    turn.report_node(turn.workflow.end, NodeExecution.SUCCEEDED)
    turn.settle(turn.workflow.end, NodePhase.SUCCEEDED)
    turn.move_workflow(WorkflowPhase.SUCCEEDING)
    turn.report_workflow(WorkflowExecution.SUCCEEDING)
    turn.move_workflow(WorkflowPhase.SUCCESS)
    if not turn.state.muted:
        turn.effects.append(RecordEvent(ending_event(turn.workflow, WorkflowExecution.SUCCEEDED, turn.now)))


def _settle_workflow(turn: Turn) -> None:
    """Fail once nothing more can run and something has failed."""
    state = turn.state
    if state.phase is not WorkflowPhase.RUNNING or state.active or state.ready:
        return
    if state.error is not None:
        _fail_workflow(turn, state.error)
    elif not any(isinstance(effect, Ask) for effect in turn.effects):
        _fail_workflow(
            turn, failure("UnreachableNodes", "nothing runs and the end node's upstreams have not all ended")
        )


def _fail_workflow(turn: Turn, error: ExecutionError) -> None:
    """Go to FAILING and abort what still runs."""
    turn.state = replace(turn.state, error=turn.state.error or error)
    turn.move_workflow(WorkflowPhase.FAILING)
    turn.report_workflow(WorkflowExecution.FAILING, turn.state.error)
    for index in sorted(turn.state.active):
        turn.abort_node(index, f"Workflow failed: {error.code}")


def _handle_failure(turn: Turn) -> None:
    """Run the failure node, where there is one; then the workflow has failed."""
    index = turn.workflow.failure
    if index is not None and turn.state.phase is WorkflowPhase.FAILING:
        if index not in turn.facts.inputs:
            turn.effects.append(Ask(index))
            return
        turn.move_workflow(WorkflowPhase.HANDLING_FAILURE_NODE)
        if task_nodes.queue(turn, index) is None:
            task_nodes.start_attempt(turn, index)
    if index is not None and index not in turn.state.settled:
        return
    turn.move_workflow(WorkflowPhase.FAILED)
    turn.report_workflow(WorkflowExecution.FAILED, turn.state.error)


def _abort(turn: Turn, reason: str) -> None:
    for index in sorted(turn.state.active):
        turn.abort_node(index, reason)
    turn.state = replace(turn.state, message=reason)
    turn.move_workflow(WorkflowPhase.ABORTED)
    error = ExecutionError(code="Workflow aborted", message=reason, kind=ExecutionError.USER)
    turn.report_workflow(WorkflowExecution.ABORTED, error)


def _close(turn: Turn, refusal: Refusal) -> None:
    """The control plane takes no more events of this execution: end it here without any."""
    error = turn.state.error or failure(refusal.code or "WorkflowStateMismatch", refusal.message)
    turn.state = replace(turn.state, muted=True, error=error, message=refusal.message)
    for index in sorted(turn.state.active):
        turn.abort_node(index, refusal.message)
    if turn.state.phase is WorkflowPhase.READY:
        turn.state = replace(turn.state, started_at=turn.now)
    turn.move_workflow(WorkflowPhase.FAILED)


def _clean_up(turn: Turn) -> None:
    """Delete what is left outside; let go once nothing is."""
    if turn.state.cleanup:
        asked = {(e.node, e.attempt) for e in turn.effects if isinstance(e, DeleteTask)}
        turn.effects.extend(
            DeleteTask(index, attempt, token)
            for (index, attempt), token in sorted(turn.state.cleanup.items())
            if (index, attempt) not in asked
        )
    else:
        turn.effects.append(Finish())


def restart(workflow: Workflow, state: WorkflowState) -> WorkflowState:
    """Return a loaded state with what is not stored derived anew: counts of upstreams, and both queues."""
    ended = {index for index, settled in state.settled.items() if settled.phase is NodePhase.SUCCEEDED}
    ready, waiting = [], {}
    for node in workflow.nodes:
        if (
            node.index in state.settled
            or node.index in state.active
            or node.index in (workflow.start, workflow.failure)
        ):
            continue
        left = sum(1 for upstream in node.upstream if upstream not in ended)
        if left == 0:
            ready.append(node.index)
        elif left < len(node.upstream):
            waiting[node.index] = left
    running = state.phase is not WorkflowPhase.READY
    queued = tuple(sorted(index for index, node in state.active.items() if _is_queued(node)))
    return replace(
        state,
        waiting=state.waiting.update(waiting),
        ready=state.ready.push(tuple(ready) if running else ()),
        queued=state.queued.push(queued),
        running=sum(1 for node in state.active.values() if node.task is not None),
    )


def _is_queued(node: NodeState) -> bool:
    return node.phase is NodePhase.QUEUED and node.task is None
