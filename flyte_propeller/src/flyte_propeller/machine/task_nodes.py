"""What happens to a node that runs outside (a task, a launch plan): queued, launched, observed, tried again, ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution

from flyte_core.phases import TERMINAL_TASK_PHASES, NodePhase, TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine import caching, recovery
from flyte_propeller.machine.effects import LaunchTask, WakeAt
from flyte_propeller.machine.event_requests import failure
from flyte_propeller.machine.facts import BindingFailure, Launch
from flyte_propeller.machine.moves import node_move
from flyte_propeller.machine.retry import judge
from flyte_propeller.machine.state import AttemptKey, NodeState, TaskAttempt, WorkflowState
from flyte_propeller.machine.turn import Turn, in_place

SUBMITTED = PhaseInfo(TaskPhase.QUEUED, reason="task submitted to K8s")
"""The first report of every attempt (upstream's text)."""


def queue(turn: Turn, index: int) -> ExecutionError | None:
    """Take the resolved inputs: the node waits for a place, or it fails, or its result is in the catalog. Return the
    error of a failed one.
    """
    error = take_inputs(turn, index)
    if waits_for_place(turn.state, index):
        turn.state = replace(turn.state, queued=turn.state.queued.push((index,)))
    return error


def take_inputs(turn: Turn, index: int) -> ExecutionError | None:
    """Take the resolved inputs: the node is QUEUED, or it fails, or its result is in the catalog. Return the error of a
    failed one.
    """
    inputs = turn.facts.inputs[index]
    if isinstance(inputs, BindingFailure):
        error = failure(inputs.code, inputs.message)
        turn.report_node(index, NodeExecution.FAILED, error=error)
        turn.settle(index, NodePhase.FAILED)
        return error
    if caching.found(turn, index):
        return None
    queued = NodeState(
        node_move(NodePhase.NOT_YET_STARTED, NodePhase.QUEUED),
        queued_at=turn.now,
        cache=caching.first_state(turn, index),
        checkpoint=recovery.checkpoint(turn, index),
    )
    turn.keep(index, queued)
    turn.report_node(index, NodeExecution.QUEUED)
    deadline = turn.node(index).active_deadline
    if deadline is not None:
        turn.effects.append(WakeAt(index, turn.now + deadline))
    return None


def waits_for_place(state: WorkflowState, index: int) -> bool:
    """Return whether the node would start an attempt if there were a place."""
    node = state.active.get(index)
    if node is None or node.task is not None or caching.waits(state, index):
        return False
    return node.phase is NodePhase.QUEUED or (
        node.phase is NodePhase.RETRYABLE_FAILURE and (index, node.attempt - 1) not in state.cleanup
    )


def start_attempt(turn: Turn, index: int) -> None:
    """Store the intent to create the attempt, and have it created."""
    node = turn.state.active[index]
    if node.phase is NodePhase.RETRYABLE_FAILURE:
        node = replace(node, phase=node_move(node.phase, NodePhase.RUNNING))
    turn.keep(index, replace(node, attempt_started_at=turn.now, task=TaskAttempt()))
    turn.state = replace(turn.state, running=turn.state.running + turn.node(index).takes_place)
    turn.effects.append(LaunchTask(index, node.attempt, node.system_failures, node.checkpoint))
    deadline = turn.node(index).execution_deadline
    if deadline is not None:
        turn.effects.append(WakeAt(index, turn.now + deadline))


def take_launch(turn: Turn, key: AttemptKey, result: Launch | PhaseInfo) -> ExecutionError | None:
    """Take what creating an attempt gave. Return the error of a node that has failed by it."""
    index, attempt = key
    node = turn.state.active.get(index)
    if node is None or node.attempt != attempt or node.task is None or node.task.token:
        return None
    if isinstance(result, PhaseInfo):
        return take_report(turn, key, result)
    turn.report_task(index, node, SUBMITTED)
    turn.report_node(index, NodeExecution.RUNNING, attempt)
    task = TaskAttempt(result.token, SUBMITTED.phase, SUBMITTED.version)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.RUNNING), task=task))
    return None


def take_report(turn: Turn, key: AttemptKey, info: PhaseInfo) -> ExecutionError | None:
    """Take what the plugin sees of an attempt. Return the error of a node that has failed by it."""
    index, attempt = key
    node = turn.state.active.get(index)
    if node is None or node.attempt != attempt or node.task is None:
        return None
    if info.phase not in TERMINAL_TASK_PHASES:
        if (info.phase, info.version) > (node.task.phase, node.task.version):
            turn.report_task(index, node, info)
            turn.keep(index, replace(node, task=replace(node.task, phase=info.phase, version=info.version)))
        return None
    has_result = info.phase is TaskPhase.SUCCESS and not info.has_futures
    publication = caching.publication(turn, index, attempt) if has_result else None
    if caching.unanswered(turn, publication):
        return None
    turn.report_task(index, node, info)
    if turn.node(index).task is not None:  # of a child that has ended, or was refused, nothing is left
        turn.delete_attempt(index, node)
        if info.phase is TaskPhase.SUCCESS and info.has_futures:
            _await_graph(turn, index, node)
            return None
    if info.phase is TaskPhase.SUCCESS:
        turn.report_node(index, NodeExecution.SUCCEEDED, attempt, catalog=caching.published(turn, publication))
        turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.SUCCEEDING)))
        turn.settle(index, NodePhase.SUCCEEDED, attempt)
        return None
    error = info.error or failure("UnknownError", f"the plugin reported {info.phase.name} without an error")
    if info.phase is TaskPhase.RETRYABLE_FAILURE:
        return retry_or_fail(turn, index, error)
    return fail(turn, index, error)


def _await_graph(turn: Turn, index: int, node: NodeState) -> None:
    """The attempt has left a graph in place of outputs: its place is free, and the node goes on."""
    if node.phase is NodePhase.QUEUED:  # over before it was seen to run
        turn.report_node(index, NodeExecution.RUNNING, node.attempt)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.RUNNING), task=None))
    state = turn.state
    turn.state = replace(state, running=state.running - 1, graphless=state.graphless.push((index,)))


def awaits_graph(turn: Turn, index: int) -> bool:
    """Return whether the node is a dynamic one whose graph is not laid out yet."""
    node = turn.state.active.get(index)
    return node is not None and turn.is_dynamic(index) and node.phase is NodePhase.RUNNING


def retry_or_fail(turn: Turn, index: int, error: ExecutionError) -> ExecutionError | None:
    """Give the node another attempt where its budgets allow it; else fail it and return the error."""
    node = turn.state.active[index]
    verdict = judge(
        error,
        attempt=node.attempt,
        system_failures=node.system_failures,
        max_attempts=turn.node(index).max_attempts,
    )
    if not verdict.again:
        return fail(turn, index, verdict.error)
    waiting = NodeState(
        node_move(node.phase, NodePhase.RETRYABLE_FAILURE),
        attempt=node.attempt + 1,
        system_failures=node.system_failures + verdict.system,
        queued_at=node.queued_at,
        cache=node.cache,
    )
    turn.keep(index, waiting)
    turn.state = replace(turn.state, running=turn.state.running - in_place(turn.node(index), node))
    if not turn.node(index).takes_place:
        turn.opening.append(index)
    elif (index, node.attempt) not in turn.state.cleanup:  # of a dynamic node, whose attempt has long been gone
        turn.state = replace(turn.state, queued=turn.state.queued.push((index,)))
    return None


def take_gone(turn: Turn, key: AttemptKey) -> None:
    """Nothing is left of this attempt: its node may try again where it waits for that."""
    if key not in turn.state.cleanup:
        return
    index, attempt = key
    turn.state = replace(turn.state, cleanup=turn.state.cleanup.delete(key))
    turn.save = True
    node = turn.state.active.get(index)
    if node is not None and node.attempt == attempt + 1 and node.phase is NodePhase.RETRYABLE_FAILURE:
        turn.state = replace(turn.state, queued=turn.state.queued.push((index,)))


def fail(turn: Turn, index: int, error: ExecutionError) -> ExecutionError:
    """End the node as failed and return the error."""
    node = turn.state.active[index]
    turn.report_node(index, NodeExecution.FAILED, node.attempt, error)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.FAILING)))
    turn.settle(index, NodePhase.FAILED, node.attempt)
    return error


def check_deadlines(turn: Turn, index: int) -> ExecutionError | None:
    """End what has taken too long. Return the error of a node that has failed by it."""
    state = turn.state.active.get(index)
    if state is None:
        return None
    node = turn.node(index)
    if node.active_deadline and state.queued_at and turn.now >= state.queued_at + node.active_deadline:
        return _time_out(turn, index, node.active_deadline)
    error = expired_attempt(turn, index, state)
    if error is None:
        return None
    _end_attempt(turn, index, error)
    return retry_or_fail(turn, index, error)


def expired_attempt(turn: Turn, index: int, state: NodeState) -> ExecutionError | None:
    """Return the error of an attempt that has taken too long, None of any other.

    :param index: of a node, or address of an element
    """
    limit, started = turn.node(index).execution_deadline, state.attempt_started_at
    if state.task is None and not turn.is_dynamic(index):
        return None
    if limit is None or started is None or turn.now < started + limit:
        return None
    text = f"task execution timeout [{go_duration(limit)}] expired"
    return ExecutionError(code="TimeoutExpired", message=text, kind=ExecutionError.USER)


def _end_attempt(turn: Turn, index: int, error: ExecutionError) -> None:
    state = turn.state.active[index]
    if state.task is not None:
        turn.report_task(index, state, PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=error))
    turn.delete_attempt(index, state)


def _time_out(turn: Turn, index: int, limit: timedelta) -> ExecutionError:
    state, error = turn.state.active[index], expired_node(limit)
    _end_attempt(turn, index, error)
    turn.report_node(index, NodeExecution.TIMED_OUT, state.attempt, error)
    turn.keep(index, replace(state, phase=node_move(state.phase, NodePhase.TIMING_OUT)))
    turn.settle(index, NodePhase.TIMED_OUT, state.attempt)
    return error


def expired_node(limit: timedelta) -> ExecutionError:
    """Return the error of a node that has taken too long, all attempts."""
    text = f"task active timeout [{go_duration(limit)}] expired"
    return ExecutionError(code="Timeout", message=text, kind=ExecutionError.USER)


def go_duration(length: timedelta) -> str:
    """Return the duration as Go prints it (``1h0m3s``), since clients know upstream's messages."""
    seconds = length.total_seconds()
    if 0 < seconds < 1:
        return f"{seconds * 1000:g}ms"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{int(hours)}h" if hours else ""
    text += f"{int(minutes)}m" if hours or minutes else ""
    return f"{text}{rest:g}s"
