"""Phases of workflows, nodes and tasks, and the legal moves between them.

The numbers are upstream's (FlyteWorkflow v1alpha1 for the first two, the plugin machinery's for tasks): they are on
the wire. The tables are read by the machine, by the documentation and by the move-coverage test.
"""

from __future__ import annotations

from enum import IntEnum


class WorkflowPhase(IntEnum):
    """Phase of a FlyteWorkflow (``status.phase``)."""

    READY = 0
    RUNNING = 1
    SUCCEEDING = 2
    SUCCESS = 3
    FAILING = 4
    FAILED = 5
    ABORTED = 6
    HANDLING_FAILURE_NODE = 7


class NodePhase(IntEnum):
    """Phase of a node (``status.nodeStatus[id].phase``)."""

    NOT_YET_STARTED = 0
    QUEUED = 1
    RUNNING = 2
    FAILING = 3
    SUCCEEDING = 4
    SUCCEEDED = 5
    FAILED = 6
    SKIPPED = 7
    RETRYABLE_FAILURE = 8
    TIMING_OUT = 9
    TIMED_OUT = 10
    DYNAMIC_RUNNING = 11
    RECOVERED = 12


class TaskPhase(IntEnum):
    """Phase of one attempt of a task, as its plugin reports it."""

    UNDEFINED = 0
    NOT_READY = 1
    WAITING_FOR_RESOURCES = 2
    QUEUED = 3
    INITIALIZING = 4
    RUNNING = 5
    SUCCESS = 6
    RETRYABLE_FAILURE = 7
    PERMANENT_FAILURE = 8
    WAITING_FOR_CACHE = 9
    ABORTED = 10


TERMINAL_WORKFLOW_PHASES = frozenset({WorkflowPhase.SUCCESS, WorkflowPhase.FAILED, WorkflowPhase.ABORTED})
TERMINAL_NODE_PHASES = frozenset(
    {NodePhase.SUCCEEDED, NodePhase.FAILED, NodePhase.SKIPPED, NodePhase.TIMED_OUT, NodePhase.RECOVERED}
)
TERMINAL_TASK_PHASES = frozenset(
    {TaskPhase.SUCCESS, TaskPhase.RETRYABLE_FAILURE, TaskPhase.PERMANENT_FAILURE, TaskPhase.ABORTED}
)

_W, _N = WorkflowPhase, NodePhase

WORKFLOW_MOVES: dict[WorkflowPhase, frozenset[WorkflowPhase]] = {
    _W.READY: frozenset({_W.RUNNING, _W.FAILING, _W.ABORTED, _W.FAILED}),
    _W.RUNNING: frozenset({_W.SUCCEEDING, _W.FAILING, _W.ABORTED, _W.FAILED}),
    _W.SUCCEEDING: frozenset({_W.SUCCESS, _W.FAILED, _W.ABORTED}),
    _W.FAILING: frozenset({_W.HANDLING_FAILURE_NODE, _W.FAILED, _W.ABORTED}),
    _W.HANDLING_FAILURE_NODE: frozenset({_W.FAILED, _W.ABORTED}),
    _W.SUCCESS: frozenset(),
    _W.FAILED: frozenset(),
    _W.ABORTED: frozenset(),
}

NODE_MOVES: dict[NodePhase, frozenset[NodePhase]] = {
    _N.NOT_YET_STARTED: frozenset({_N.QUEUED, _N.SKIPPED, _N.SUCCEEDED, _N.FAILING, _N.FAILED, _N.RECOVERED}),
    _N.QUEUED: frozenset(
        {_N.RUNNING, _N.SUCCEEDING, _N.SUCCEEDED, _N.FAILING, _N.FAILED, _N.RETRYABLE_FAILURE, _N.TIMING_OUT}
    ),
    _N.RUNNING: frozenset(
        {_N.DYNAMIC_RUNNING, _N.SUCCEEDING, _N.FAILING, _N.FAILED, _N.RETRYABLE_FAILURE, _N.TIMING_OUT}
    ),
    _N.DYNAMIC_RUNNING: frozenset({_N.SUCCEEDING, _N.FAILING, _N.FAILED, _N.RETRYABLE_FAILURE, _N.TIMING_OUT}),
    _N.RETRYABLE_FAILURE: frozenset({_N.RUNNING, _N.FAILING, _N.FAILED, _N.TIMING_OUT}),
    _N.SUCCEEDING: frozenset({_N.SUCCEEDED, _N.FAILED}),
    _N.FAILING: frozenset({_N.FAILED}),
    _N.TIMING_OUT: frozenset({_N.TIMED_OUT, _N.FAILED}),
    _N.SUCCEEDED: frozenset(),
    _N.FAILED: frozenset(),
    _N.SKIPPED: frozenset(),
    _N.TIMED_OUT: frozenset(),
    _N.RECOVERED: frozenset(),
}
