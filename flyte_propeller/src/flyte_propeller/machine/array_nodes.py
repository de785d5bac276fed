"""What happens to an array node: its elements begin as far as there are places, and it ends when they have ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution, TaskExecution

from flyte_core.phases import NodePhase
from flyte_propeller.machine import elements
from flyte_propeller.machine.addresses import element_address, node_of
from flyte_propeller.machine.array_events import array_event, resources
from flyte_propeller.machine.array_failures import summary
from flyte_propeller.machine.array_inputs import array_size
from flyte_propeller.machine.array_state import ArrayState
from flyte_propeller.machine.effects import Ask, GatherOutputs, RecordEvent, WakeAt
from flyte_propeller.machine.event_requests import failure
from flyte_propeller.machine.facts import BindingFailure
from flyte_propeller.machine.moves import node_move
from flyte_propeller.machine.state import NodeState
from flyte_propeller.machine.task_nodes import expired_node
from flyte_propeller.machine.turn import Turn
from flyte_propeller.machine.workflow import Array

BEGIN_PER_ROUND = 100
"""Elements of one array node that begin in one round, at most: bounds the objects of a round."""
TICK = timedelta(milliseconds=10)
"""Versions of the task execution's events grow at least as time does, in these: an event whose reply was lost is sent
again with what has become of the elements since, and must not be taken for the one that the control plane knows."""


def queue(turn: Turn, index: int) -> ExecutionError | None:
    """Take the resolved inputs: the node is QUEUED, or it fails. Return the error of a failed one."""
    inputs = turn.facts.inputs[index]
    found = _refusal(inputs) if isinstance(inputs, BindingFailure) else array_size(inputs, _spec(turn, index).bound)
    if isinstance(found, ExecutionError):
        turn.report_node(index, NodeExecution.FAILED, error=found)
        turn.settle(index, NodePhase.FAILED)
        return found
    phase = node_move(NodePhase.NOT_YET_STARTED, NodePhase.QUEUED)
    turn.keep(index, NodeState(phase, queued_at=turn.now, array=ArrayState.of(found)))
    turn.report_node(index, NodeExecution.QUEUED)
    turn.state = replace(turn.state, queued=turn.state.queued.push((index,)))
    deadline = turn.node(index).active_deadline
    if deadline is not None:
        turn.effects.append(WakeAt(index, turn.now + deadline))
    return None


def start(turn: Turn, index: int) -> None:
    """The node has a place: it runs, and its elements may begin."""
    node, array = turn.state.active[index], elements.array_of(turn, index)
    _report(turn, index, TaskExecution.QUEUED, told=False)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.RUNNING), attempt_started_at=turn.now))
    turn.report_node(index, NodeExecution.RUNNING)
    turn.state = replace(turn.state, running=turn.state.running + (not _spec(turn, index).inherits))
    deadline = turn.node(index).execution_deadline
    if deadline is not None:
        turn.effects.append(WakeAt(index, turn.now + deadline))
    turn.more = turn.more or not array.size  # there is nothing to wait for: it ends in the next round


def fill(turn: Turn, index: int) -> None:
    """Have elements begin, or be tried again, as far as there are places."""
    node = turn.state.active[index]
    if node.array is None or node.phase is not NodePhase.RUNNING:
        return
    for address in turn.again:
        if node_of(address) == index and address in turn.state.elements:
            elements.start_attempt(turn, address)
    array, own = elements.array_of(turn, index), _spec(turn, index).own_inputs
    wanted = range(array.begun, array.begun + max(0, min(_places(turn, index, array), BEGIN_PER_ROUND)))
    unknown = [element_address(index, e) for e in wanted if element_address(index, e) not in turn.facts.inputs]
    if own and unknown:
        turn.effects.extend(Ask(address) for address in unknown)
        return
    for element in wanted:
        elements.begin(turn, element_address(index, element))
    if wanted:
        array = replace(elements.array_of(turn, index), begun=wanted.stop)
        elements.keep_array(turn, index, array)
        turn.more = turn.more or _places(turn, index, array) > 0


def _places(turn: Turn, index: int, array: ArrayState) -> int:
    """Return how many more elements may run now."""
    spec, left = _spec(turn, index), array.size - array.begun
    if spec.parallelism is not None:
        return min(left, spec.parallelism - array.live) if spec.parallelism else left
    limit = turn.workflow.max_parallelism
    return min(left, limit - turn.state.running) if limit else left


def conclude(turn: Turn, index: int) -> ExecutionError | None:
    """End the node where its elements leave nothing to wait for. Return the error of one that fails."""
    node = turn.state.active[index]
    if node.array is None or node.phase is not NodePhase.RUNNING:
        return None
    array, spec = node.array, _spec(turn, index)
    needed, ended = spec.needed(array.size), array.succeeded + array.failed == array.size
    if array.size - array.failed < needed and (ended or not spec.run_all):
        return fail(turn, index, summary(array, needed))
    if not ended:
        return None
    if index not in turn.facts.gathered:
        turn.effects.append(GatherOutputs(index, array.ended))
        return None
    gathered = turn.facts.gathered[index]
    if isinstance(gathered, BindingFailure):
        return fail(turn, index, _refusal(gathered))
    report(turn, index)
    _report(turn, index, TaskExecution.SUCCEEDED, told=False)
    turn.report_node(index, NodeExecution.SUCCEEDED)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.SUCCEEDING)))
    turn.settle(index, NodePhase.SUCCEEDED)
    return None


def fail(turn: Turn, index: int, error: ExecutionError) -> ExecutionError:
    """End the elements that run, and the node as failed; return the error."""
    stop(turn, index, TaskExecution.FAILED, error)
    turn.report_node(index, NodeExecution.FAILED, error=error)
    node = turn.state.active[index]
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.FAILING)))
    turn.settle(index, NodePhase.FAILED)
    return error


def refuse(turn: Turn, index: int, error: ExecutionError) -> ExecutionError:
    """The control plane does not take an event of the node: it fails, and nothing more is said of its elements."""
    elements.stop_all(turn, index)
    turn.told.pop(index, None)
    turn.report_node(index, NodeExecution.FAILED, error=error)
    node = turn.state.active[index]
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.FAILING)))
    turn.settle(index, NodePhase.FAILED)
    return error


def check_deadlines(turn: Turn, index: int) -> ExecutionError | None:
    """End the node where it has taken too long, with all its elements. It is not tried again (upstream's rule)."""
    state, node = turn.state.active[index], turn.node(index)
    limit, started = node.active_deadline, state.queued_at
    if limit is None or started is None or turn.now < started + limit:
        limit, started = node.execution_deadline, state.attempt_started_at
    if limit is None or started is None or turn.now < started + limit:
        return None
    error = expired_node(limit)
    stop(turn, index, TaskExecution.FAILED, error)
    turn.report_node(index, NodeExecution.TIMED_OUT, error=error)
    turn.keep(index, replace(state, phase=node_move(state.phase, NodePhase.TIMING_OUT)))
    turn.settle(index, NodePhase.TIMED_OUT)
    return error


def stop(turn: Turn, index: int, phase: int, error: ExecutionError) -> None:
    """End what runs of the node's elements, and its task execution with this phase."""
    elements.stop_all(turn, index)
    if turn.state.active[index].attempt_started_at is None:
        return  # its task execution has not begun
    _report(turn, index, phase, error)


def report(turn: Turn, index: int) -> None:
    """Tell the control plane what became of the elements in this round."""
    if turn.told.get(index):
        queued_at = turn.state.active[index].queued_at or turn.now
        array = elements.array_of(turn, index)
        version = max(array.version + 1, (turn.now - queued_at) // TICK)
        elements.keep_array(turn, index, replace(array, version=version))
        _report(turn, index, TaskExecution.RUNNING)


def _report(turn: Turn, index: int, phase: int, error: ExecutionError | None = None, *, told: bool = True) -> None:
    """Record an event of the task execution. Where there are no elements, or no task, there is none.

    :param told: with what became of elements in this round, and not with all there are
    """
    node, array = turn.node(index), elements.array_of(turn, index)
    if turn.state.muted or not array.size or _spec(turn, index).element.task is None:
        return
    request = array_event(
        turn.workflow,
        node,
        phase,
        turn.now,
        version=array.version if phase == TaskExecution.RUNNING else 0,
        elements=turn.told.pop(index, []) if told else resources(turn.workflow, node, array),
        error=error,
    )
    turn.effects.append(RecordEvent(request, index))


def _spec(turn: Turn, index: int) -> Array:
    array = turn.node(index).array
    assert array is not None, "an array node has an element"
    return array


def _refusal(found: BindingFailure) -> ExecutionError:
    return failure(found.code, found.message)
