"""Reports of attempts that ended badly for reasons that no plugin saw."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo


def system_failure(code: str, message: str, *, retryable: bool = True) -> PhaseInfo:
    """Return the failure of an attempt by infrastructure, which costs the user none of his retries."""
    return failure(ExecutionError(code=code, message=message, kind=ExecutionError.SYSTEM), retryable=retryable)


def user_failure(code: str, message: str, *, retryable: bool = False) -> PhaseInfo:
    """Return the failure of an attempt by its template or its code."""
    return failure(ExecutionError(code=code, message=message, kind=ExecutionError.USER), retryable=retryable)


def failure(error: ExecutionError, *, retryable: bool, seen: PhaseInfo | None = None) -> PhaseInfo:
    """Return the failure with this error.

    :param seen: the plugin's own report, whose logs and times stay
    """
    phase = TaskPhase.RETRYABLE_FAILURE if retryable else TaskPhase.PERMANENT_FAILURE
    if seen is None:
        return PhaseInfo(phase, error=error)
    return PhaseInfo(
        phase,
        reason=seen.reason,
        error=error,
        logs=seen.logs,
        occurred_at=seen.occurred_at,
        custom_info=seen.custom_info,
        external_resources=seen.external_resources,
    )
