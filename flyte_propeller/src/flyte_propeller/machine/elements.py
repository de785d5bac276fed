"""What happens to an element of an array node: begun, launched, observed, tried again, ended.

An element has no events of its own: what becomes of it is told as an external resource of its array node's task
execution. It waits for no place: its array node sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError, TaskExecution, TaskLog

from flyte_core.phases import TERMINAL_TASK_PHASES, NodePhase, TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import element_address, element_of, node_of
from flyte_propeller.machine.array_events import resource
from flyte_propeller.machine.array_state import ArrayState
from flyte_propeller.machine.effects import LaunchTask, WakeAt
from flyte_propeller.machine.event_requests import TASK_PHASES, failure
from flyte_propeller.machine.facts import Launch
from flyte_propeller.machine.moves import node_move
from flyte_propeller.machine.retry import judge
from flyte_propeller.machine.state import AttemptKey, NodeState, TaskAttempt
from flyte_propeller.machine.task_nodes import SUBMITTED, expired_attempt
from flyte_propeller.machine.turn import Turn


def array_of(turn: Turn, index: int) -> ArrayState:
    """Return the elements of an array node that is active."""
    array = turn.state.active[index].array
    assert array is not None, "an active array node has elements"
    return array


def keep_array(turn: Turn, index: int, array: ArrayState) -> None:
    """Store the elements of an array node."""
    turn.keep(index, replace(turn.state.active[index], array=array))


def begin(turn: Turn, address: int) -> None:
    """Have the element begin with its first attempt."""
    start_attempt(turn, address, NodeState(node_move(NodePhase.NOT_YET_STARTED, NodePhase.QUEUED)))


def start_attempt(turn: Turn, address: int, state: NodeState | None = None) -> None:
    """Store the intent to create the element's next attempt, and have it created."""
    known = state or turn.state.elements[address]
    if known.phase is NodePhase.RETRYABLE_FAILURE:
        known = replace(known, phase=node_move(known.phase, NodePhase.RUNNING))
    limit = turn.node(address).execution_deadline
    timed = limit is not None or turn.node(address).launch_plan is not None
    _keep(turn, address, replace(known, attempt_started_at=turn.now if timed else None, task=TaskAttempt()))
    turn.effects.append(LaunchTask(address, known.attempt, known.system_failures))
    if limit is not None:
        turn.effects.append(WakeAt(address, turn.now + limit))


def take_launch(turn: Turn, key: AttemptKey, result: Launch | PhaseInfo) -> None:
    """Take what creating an attempt gave."""
    address, attempt = key
    state = _current(turn, key)
    if state is None or state.task is None or state.task.token:
        return
    if isinstance(result, PhaseInfo):
        take_report(turn, key, result)
        return
    task = TaskAttempt(result.token, SUBMITTED.phase, SUBMITTED.version)
    _keep(turn, address, replace(state, phase=node_move(state.phase, NodePhase.RUNNING), task=task))
    _tell(turn, address, attempt, TASK_PHASES[SUBMITTED.phase])


def take_report(turn: Turn, key: AttemptKey, info: PhaseInfo) -> None:
    """Take what the plugin sees of an attempt."""
    address, attempt = key
    state = _current(turn, key)
    if state is None or state.task is None:
        return
    if info.phase not in TERMINAL_TASK_PHASES:
        if (info.phase, info.version) > (state.task.phase, state.task.version):
            _tell(turn, address, attempt, TASK_PHASES[info.phase], info.logs)
            _keep(turn, address, replace(state, task=replace(state.task, phase=info.phase, version=info.version)))
        return
    _tell(turn, address, attempt, TASK_PHASES[info.phase], info.logs)
    if turn.node(address).task is not None:  # of a child that has ended, or was refused, nothing is left
        turn.delete_attempt(address, state)
    if info.phase is TaskPhase.SUCCESS:
        node_move(node_move(state.phase, NodePhase.SUCCEEDING), NodePhase.SUCCEEDED)
        index = node_of(address)
        keep_array(turn, index, array_of(turn, index).with_success(element_of(address), attempt))
        _drop(turn, address)
        return
    error = info.error or failure("UnknownError", f"the plugin reported {info.phase.name} without an error")
    _try_again_or_fail(turn, address, error, retryable=info.phase is TaskPhase.RETRYABLE_FAILURE)


def take_gone(turn: Turn, key: AttemptKey) -> None:
    """Nothing is left of this attempt: its element is tried again in this step where it waits for that."""
    address, attempt = key
    if key not in turn.state.cleanup:
        return
    turn.state = replace(turn.state, cleanup=turn.state.cleanup.delete(key))
    turn.save = True
    state = turn.state.elements.get(address)
    if state is not None and state.attempt == attempt + 1 and state.phase is NodePhase.RETRYABLE_FAILURE:
        turn.again.append(address)


def check_deadline(turn: Turn, address: int) -> None:
    """End an attempt that has taken too long."""
    state = turn.state.elements.get(address)
    error = expired_attempt(turn, address, state) if state is not None else None
    if state is None or error is None:
        return
    _tell(turn, address, state.attempt, TaskExecution.FAILED)
    turn.delete_attempt(address, state)
    _try_again_or_fail(turn, address, error, retryable=True)


def stop_all(turn: Turn, index: int) -> None:
    """End all elements of an array node that run, because the array ends."""
    for element in array_of(turn, index).running():
        address = element_address(index, element)
        state = turn.state.elements[address]
        _tell(turn, address, state.attempt, TaskExecution.ABORTED)
        turn.delete_attempt(address, state)
        _drop(turn, address)


def _try_again_or_fail(turn: Turn, address: int, error: ExecutionError, *, retryable: bool) -> None:
    state = turn.state.elements[address]
    verdict = judge(
        error,
        attempt=state.attempt,
        system_failures=state.system_failures,
        max_attempts=turn.node(address).max_attempts,
    )
    if retryable and verdict.again:
        phase = node_move(state.phase, NodePhase.RETRYABLE_FAILURE)
        _keep(turn, address, NodeState(phase, state.attempt + 1, state.system_failures + verdict.system))
        if (address, state.attempt) not in turn.state.cleanup:
            turn.again.append(address)
        return
    node_move(node_move(state.phase, NodePhase.FAILING), NodePhase.FAILED)
    index, last = node_of(address), verdict.error if retryable else error
    keep_array(turn, index, array_of(turn, index).with_failure(element_of(address), state.attempt, last))
    _drop(turn, address)


def _current(turn: Turn, key: AttemptKey) -> NodeState | None:
    state = turn.state.elements.get(key[0])
    return state if state is not None and state.attempt == key[1] else None


def _tell(turn: Turn, address: int, attempt: int, phase: int, logs: Iterable[TaskLog] = ()) -> None:
    """Have the next event of the array node say this."""
    index = node_of(address)
    info = resource(turn.workflow, turn.node(index), element_of(address), attempt, phase, logs)
    turn.told.setdefault(index, []).append(info)


def _keep(turn: Turn, address: int, state: NodeState) -> None:
    known = address in turn.state.elements
    turn.state = replace(turn.state, elements=turn.state.elements.set(address, state))
    _note(turn, address, place=not known)


def _drop(turn: Turn, address: int) -> None:
    turn.state = replace(turn.state, elements=turn.state.elements.delete(address))
    _note(turn, address, place=-1)


def _note(turn: Turn, address: int, *, place: int) -> None:
    """Have the element's state stored, and its place counted where it is one of the workflow's."""
    array = turn.node(node_of(address)).array
    if array is not None and array.inherits:
        turn.state = replace(turn.state, running=turn.state.running + place)
    turn.touched.add(address)
    turn.save = True
