"""The order of the phases on the wire: which reports move a row forward, and which end it."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution

_W, _N, _T = WorkflowExecution, NodeExecution, TaskExecution

TERMINAL_EXECUTION = frozenset({_W.SUCCEEDED, _W.FAILED, _W.ABORTED, _W.TIMED_OUT})
TERMINAL_PHASE_NAMES = tuple(sorted(_W.Phase.Name(phase) for phase in TERMINAL_EXECUTION))
"""The terminal phases of executions as rows hold them."""
TERMINAL_NODE = frozenset({_N.SUCCEEDED, _N.FAILED, _N.ABORTED, _N.SKIPPED, _N.TIMED_OUT, _N.RECOVERED})
TERMINAL_NODE_NAMES = tuple(sorted(_N.Phase.Name(phase) for phase in TERMINAL_NODE))
TERMINAL_TASK = frozenset({_T.SUCCEEDED, _T.FAILED, _T.ABORTED})
"""A retryable failure is not among them: upstream lets a later report of the same attempt follow it."""

_END = 9

EXECUTION_RANK: dict[int, int] = {
    _W.UNDEFINED: 0,
    _W.QUEUED: 1,
    _W.RUNNING: 2,
    _W.SUCCEEDING: 3,
    _W.FAILING: 4,
    _W.ABORTING: 5,
    **dict.fromkeys(TERMINAL_EXECUTION, _END),
}
"""A report of a lower rank than the row's is late and changes nothing."""

NODE_RANK: dict[int, int] = {
    _N.UNDEFINED: 0,
    _N.QUEUED: 1,
    _N.RUNNING: 2,
    _N.DYNAMIC_RUNNING: 3,
    _N.FAILING: 4,
    **dict.fromkeys(TERMINAL_NODE, _END),
}

TASK_RANK: dict[int, int] = {
    _T.UNDEFINED: 0,
    _T.QUEUED: 1,
    _T.WAITING_FOR_RESOURCES: 1,
    _T.INITIALIZING: 1,
    _T.RUNNING: 2,
    _T.RETRYABLE_FAILED: 3,
    **dict.fromkeys(TERMINAL_TASK, _END),
}
"""A pod may go back from initializing to waiting, so the three phases before RUNNING are one rank."""
