"""``evaluate``: what follows from what is known. Pure; the same arguments give the same step."""

from __future__ import annotations

from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution, WorkflowExecution

from flyte_core import paths
from flyte_core.phases import TERMINAL_WORKFLOW_PHASES, NodePhase, WorkflowPhase
from flyte_propeller.machine import (
    array_nodes,
    branches,
    caching,
    dynamic_nodes,
    elements,
    gates,
    recovery,
    sub_workflows,
    task_nodes,
)
from flyte_propeller.machine.aborting import abort_all, abort_within
from flyte_propeller.machine.addresses import is_element, node_of
from flyte_propeller.machine.effects import Ask, DeleteTask, Finish, LaunchTask, Step
from flyte_propeller.machine.event_requests import failure
from flyte_propeller.machine.facts import BindingFailure, Facts, Refusal
from flyte_propeller.machine.questions import first_question
from flyte_propeller.machine.retry import truncated
from flyte_propeller.machine.state import WorkflowState, is_dynamic
from flyte_propeller.machine.turn import ENDED_WELL, Turn, in_place
from flyte_propeller.machine.workflow import Workflow

STARTS_PER_ROUND = 100
"""Nodes that start in one round, at most: bounds the events and objects of a round, however wide the graph."""
QUEUED_AHEAD = 100
"""Nodes that are QUEUED without a place, at most; more of them would only make the stored state longer."""
WALKING = frozenset({WorkflowPhase.RUNNING, WorkflowPhase.HANDLING_FAILURE_NODE})
"""Phases in which nodes start and end."""
AUTO_ABORT = "Some node execution failed, auto-abort."
"""Upstream's reason for ending the nodes that still run when a workflow fails."""


_BEGIN = {
    "task": task_nodes.queue,
    "array": array_nodes.queue,
    "launch_plan": task_nodes.queue,
    "gate": gates.begin,
    "workflow": sub_workflows.begin,
    "end": sub_workflows.end,
}
"""What a node does whose inputs are resolved, by its kind."""


def evaluate(workflow: Workflow, state: WorkflowState, facts: Facts) -> Step:
    """Return what follows from what is known now. The cost is that of what changed, not that of the graph.

    Facts about attempts that are no longer current are ignored. A terminal state only cleans up what is left outside.
    """
    turn = Turn(workflow, state, facts)
    for key in sorted(facts.gone):
        (elements if is_element(key[0]) else task_nodes).take_gone(turn, key)
    if state.phase not in TERMINAL_WORKFLOW_PHASES:
        _advance(turn)
    _ask_again(turn)
    if turn.state.phase in TERMINAL_WORKFLOW_PHASES and not turn.state.cleanup:
        turn.effects.append(Finish())
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
    if turn.state.phase in WALKING:
        _take_facts(turn)
        _conclude_arrays(turn)
    if turn.state.phase in WALKING:
        branches.close(turn)
        _handle_failures_within(turn)
        _start_nodes(turn)
        turn.more = branches.close(turn) or turn.more
        dynamic_nodes.lay_out(turn, _note)
        _settle_workflow(turn)
    if turn.state.phase in (WorkflowPhase.FAILING, WorkflowPhase.HANDLING_FAILURE_NODE):
        _handle_failure(turn)
    for index in _active_arrays(turn):
        array_nodes.fill(turn, index)
        array_nodes.report(turn, index)


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
        _fail_workflow(turn, failure(inputs.code, inputs.message))
        return True
    turn.report_node(workflow.start, NodeExecution.SUCCEEDED)
    turn.settle(workflow.start, NodePhase.SUCCEEDED)
    cases = {case for index in workflow.branch_nodes for case in workflow.cases_of(index)}
    roots = (node.index for node in workflow.nodes if not node.upstream and node.kind != "start")
    handlers = workflow.failure_nodes()
    free = tuple(index for index in roots if index not in handlers and index not in cases)
    turn.state = replace(turn.state, ready=turn.state.ready.push(free))
    return True


def _take_facts(turn: Turn) -> None:
    facts = turn.facts
    if facts.refusal is not None and facts.refusal.node is not None:
        _refuse_node(turn, facts.refusal.node, facts.refusal.message)
    for key, launch in sorted(facts.launched.items(), key=lambda item: item[0]):
        if is_element(key[0]):
            elements.take_launch(turn, key, launch)
        else:
            _note(turn, key[0], task_nodes.take_launch(turn, key, launch))
    for key, info in sorted(facts.observed.items(), key=lambda item: item[0]):
        if is_element(key[0]):
            elements.take_report(turn, key, info)
        else:
            _note(turn, key[0], task_nodes.take_report(turn, key, info))
    for index in sorted(facts.timers):
        if is_element(index):
            elements.check_deadline(turn, index)
        else:
            _note(turn, index, _check_deadlines(turn, index))
    for index in sorted(facts.timers | facts.looked_at):
        caching.look_again(turn, index)


def _check_deadlines(turn: Turn, index: int) -> ExecutionError | None:
    if turn.node(index).kind == "array" and index in turn.state.active:
        return array_nodes.check_deadlines(turn, index)
    dynamic_nodes.end_overdue(turn, index)
    return task_nodes.check_deadlines(turn, index)


def _active_arrays(turn: Turn) -> list[int]:
    return [index for index in turn.workflow.array_nodes if index in turn.state.active]


def _conclude_arrays(turn: Turn) -> None:
    """End array nodes whose elements leave nothing to wait for."""
    for index in _active_arrays(turn):
        if index in turn.state.active:
            _note(turn, index, array_nodes.conclude(turn, index))


def _refuse_node(turn: Turn, index: int, message: str) -> None:
    """An event of this node is invalid or too large for the control plane: the node fails (upstream's rule)."""
    node = turn.state.active.get(index)
    if node is not None and node.array is not None:
        _note(turn, index, array_nodes.refuse(turn, index, failure("NodeFailed", message)))
    elif node is not None:
        turn.delete_attempt(index, node)
        abort_within(turn, index, message)
        _note(turn, index, task_nodes.fail(turn, index, failure("NodeFailed", message)))


def _note(turn: Turn, index: int, error: ExecutionError | None) -> None:
    """Remember the first failure; fail the workflow at once where its policy says so."""
    if error is None or index == turn.workflow.failure:
        return
    error = sub_workflows.fail_around(turn, index, error)
    if error is None:
        turn.more = True  # a failure node within begins
        return
    if turn.state.error is None:
        turn.state = replace(turn.state, error=truncated(error))
    if turn.workflow.fail_immediately and turn.state.phase is WorkflowPhase.RUNNING:
        _fail_workflow(turn, error)


def _handle_failures_within(turn: Turn) -> None:
    """Begin failure nodes of sub-workflows, and end the sub-workflows whose failure nodes have ended."""
    while (ended := sub_workflows.end_handled(turn)) is not None:
        _note(turn, *ended)
    for index in sub_workflows.begin_handling(turn):
        if turn.state.phase in WALKING:
            _begin_node(turn, index)


def _start_nodes(turn: Turn) -> None:
    """Queue nodes that are ready, and launch queued ones into free places."""
    for _ in range(STARTS_PER_ROUND):
        if not turn.state.ready or turn.state.phase not in WALKING or _is_crowded(turn):
            break
        index, rest = turn.state.ready.pop()
        if sub_workflows.is_closed(turn.workflow, turn.state, index) or not _is_wanted(turn, index):
            turn.state = replace(turn.state, ready=rest)
            continue
        if first_question(turn, index) is not None:
            _ask_ahead(turn)
            break
        turn.state = replace(turn.state, ready=rest)
        if index == turn.workflow.end:
            _end(turn)
        else:
            _begin_node(turn, index)
    else:
        turn.more = bool(turn.state.ready)
    _launch_queued(turn)


def _is_wanted(turn: Turn, index: int) -> bool:
    """Return whether the node may still start: in a workflow that has failed, only what the failure node has made."""
    failure_node = turn.workflow.failure
    return turn.state.phase is WorkflowPhase.RUNNING or (
        failure_node is not None and turn.is_within(index, failure_node)
    )


def _begin_node(turn: Turn, index: int) -> None:
    """Have a node begin of which everything is known, or end that has its end already."""
    if recovery.recover(turn, index):
        return
    kind = turn.node(index).kind
    if kind != "branch":
        _note(turn, index, _BEGIN[kind](turn, index))
        return
    case = branches.choose(turn, index)
    if isinstance(case, ExecutionError):
        _note(turn, index, branches.refuse(turn, index, case))
    elif (question := first_question(turn, case)) is not None:
        turn.effects.append(question)  # branch and case begin in one step; it is evaluated anew with the answer
    else:
        branches.begin(turn, index)
        _begin_node(turn, case)


def _is_crowded(turn: Turn) -> bool:
    """Return whether enough nodes wait for a place already."""
    if not turn.workflow.max_parallelism or len(turn.state.active) - turn.state.running < QUEUED_AHEAD:
        return False
    return len(turn.state.active) - turn.state.running - _open_nodes(turn) >= QUEUED_AHEAD


def _open_nodes(turn: Turn) -> int:
    return sub_workflows.open_nodes(turn) + dynamic_nodes.open_nodes(turn.state)


def _ask_ahead(turn: Turn) -> None:
    """Ask for what the nodes that come next need, so that it is found side by side."""
    queue = turn.state.ready
    for _ in range(STARTS_PER_ROUND):
        if not queue:
            break
        index, queue = queue.pop()
        question = first_question(turn, index)
        if question is not None:
            turn.effects.append(question)


def _launch_queued(turn: Turn) -> None:
    gates.open_all(turn)
    limit, asked = turn.workflow.max_parallelism, 0
    while turn.state.queued and (not limit or turn.state.running + asked < limit):
        index, rest = turn.state.queued.pop()
        turn.state = replace(turn.state, queued=rest)
        if not task_nodes.waits_for_place(turn.state, index):
            continue
        if caching.unanswered(turn, caching.reservation(turn, index)):
            asked += 1  # no more reservations than places
        elif caching.may_start(turn, index):
            (array_nodes.start if turn.node(index).kind == "array" else task_nodes.start_attempt)(turn, index)


def _end(turn: Turn) -> None:
    inputs = turn.facts.inputs[turn.workflow.end]
    if isinstance(inputs, BindingFailure):
        error = failure(inputs.code, inputs.message)
        turn.report_node(turn.workflow.end, NodeExecution.FAILED, error=error)
        turn.end_node(turn.workflow.end, NodePhase.FAILED)
        _fail_workflow(turn, error)
        return
    turn.report_node(turn.workflow.end, NodeExecution.QUEUED)
    turn.report_node(turn.workflow.end, NodeExecution.SUCCEEDED)
    turn.end_node(turn.workflow.end, NodePhase.SUCCEEDED)
    turn.move_workflow(WorkflowPhase.SUCCEEDING)
    turn.report_workflow(WorkflowExecution.SUCCEEDING)
    turn.move_workflow(WorkflowPhase.SUCCESS)
    turn.report_workflow(WorkflowExecution.SUCCEEDED, output_uri=paths.workflow_outputs(turn.workflow.data_dir))


def _settle_workflow(turn: Turn) -> None:
    """Fail once nothing more can run and something has failed."""
    state = turn.state
    if state.phase is not WorkflowPhase.RUNNING or state.active or state.ready:
        return
    text = "nothing runs and the end node's upstreams have not all ended"
    _fail_workflow(turn, state.error or failure("UnreachableNodes", text))


def _fail_workflow(turn: Turn, error: ExecutionError) -> None:
    """Go to FAILING and abort what still runs."""
    turn.state = replace(turn.state, error=turn.state.error or truncated(error))
    turn.move_workflow(WorkflowPhase.FAILING)
    turn.report_workflow(WorkflowExecution.FAILING, turn.state.error)
    abort_all(turn, AUTO_ABORT)


def _handle_failure(turn: Turn) -> None:
    """Run the failure node, where there is one; then the workflow has failed."""
    index = turn.workflow.failure
    if index is not None and turn.state.phase is WorkflowPhase.FAILING:
        if index not in turn.facts.inputs:
            turn.effects.append(Ask(index, turn.state.error))
            return
        turn.move_workflow(WorkflowPhase.HANDLING_FAILURE_NODE)
        _begin_node(turn, index)
        _start_nodes(turn)
    if index is not None and index not in turn.state.settled:
        return
    turn.move_workflow(WorkflowPhase.FAILED)
    turn.report_workflow(WorkflowExecution.FAILED, turn.state.error)


def _abort(turn: Turn, reason: str) -> None:
    abort_all(turn, reason)
    turn.state = replace(turn.state, message=reason)
    turn.move_workflow(WorkflowPhase.ABORTED)
    error = ExecutionError(code="Workflow aborted", message=reason, kind=ExecutionError.USER)
    turn.report_workflow(WorkflowExecution.ABORTED, error)


def _close(turn: Turn, refusal: Refusal) -> None:
    """The control plane takes no more events of this execution: end it here, silently unless it takes that one."""
    error = turn.state.error or failure(refusal.code or "WorkflowStateMismatch", refusal.message)
    turn.state = replace(turn.state, muted=True, error=error, message=refusal.message)
    abort_all(turn, refusal.message)
    if turn.state.phase is WorkflowPhase.READY:
        turn.state = replace(turn.state, started_at=turn.now)
    turn.move_workflow(WorkflowPhase.FAILED)
    if not refusal.closed:
        turn.state = replace(turn.state, muted=False)
        turn.report_workflow(WorkflowExecution.FAILED, error)


def _ask_again(turn: Turn) -> None:
    """What the looked-at nodes intended before this round and nobody has confirmed is wanted again."""
    left_of_elements = _left_of_elements(turn)
    for index in sorted(turn.facts.looked_at):
        node, before = turn.state.running_at(index), turn.before.running_at(index)
        intended = node.task if node is not None and before is not None and node.task is before.task else None
        if node is not None and intended is not None and not intended.token:
            turn.effects.append(LaunchTask(index, node.attempt, node.system_failures, node.checkpoint))
        if is_element(index):
            attempts = left_of_elements.get(index, [])
        else:
            ended = turn.state.settled.get(index)
            last = node.attempt if node is not None else ended.attempt if ended is not None else -1
            attempts = [last, last - 1]
        for attempt in attempts:
            token = turn.before.cleanup.get((index, attempt))
            if token is not None and (index, attempt) in turn.state.cleanup:
                turn.effects.append(DeleteTask(index, attempt, token))


def _left_of_elements(turn: Turn) -> dict[int, list[int]]:
    """Return attempts of elements that are to be deleted, by address: no other state tells those of an ended array."""
    left: dict[int, list[int]] = {}
    if turn.workflow.array_nodes:
        for address, attempt in turn.before.cleanup:
            if is_element(address):
                left.setdefault(address, []).append(attempt)
    return left


def restart(workflow: Workflow, state: WorkflowState) -> WorkflowState:
    """Return a loaded state with what is not stored derived anew: counts of upstreams, and both queues."""
    ready, waiting, handlers = [], {}, workflow.failure_nodes()
    for node in workflow.nodes:
        index = node.index
        if index in state.settled or index in state.active or node.kind == "start" or index in handlers:
            continue
        if node.parent is not None and workflow.nodes[node.parent].kind == "branch":
            continue  # its branch begins it
        ended = [state.settled[upstream].phase for upstream in node.upstream if upstream in state.settled]
        if 0 < len(ended) < len(node.upstream):
            waiting[index] = len(node.upstream) - len(ended)
        elif len(ended) == len(node.upstream) and ENDED_WELL.issuperset(ended):
            ready += [] if sub_workflows.is_closed(workflow, state, index) else [index]
    loaded = replace(
        state,
        waiting=state.waiting.update(waiting),
        ready=state.ready.push(tuple(ready) if state.phase is not WorkflowPhase.READY else ()),
        running=_places_taken(workflow, state),
    )
    queued = tuple(index for index in sorted(state.active) if task_nodes.waits_for_place(loaded, index))
    graphless = tuple(
        index
        for index, node in sorted(state.active.items())
        if workflow.nodes[index].kind == "task" and is_dynamic(node) and node.phase is NodePhase.RUNNING
    )
    return replace(loaded, queued=loaded.queued.push(queued), graphless=loaded.graphless.push(graphless))


def _places_taken(workflow: Workflow, state: WorkflowState) -> int:
    nodes = sum(in_place(workflow.nodes[index], node) for index, node in state.active.items())
    arrays = (workflow.nodes[node_of(address)].array for address in state.elements)
    return nodes + sum(array is not None and array.inherits for array in arrays)
