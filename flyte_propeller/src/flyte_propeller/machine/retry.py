"""Attempts: who pays for a failure, and whether there is another try."""

from __future__ import annotations

from dataclasses import dataclass

from flyteidl.core.execution_pb2 import ExecutionError

MAX_SYSTEM_RETRIES = 3
"""Retries of one node that infrastructure may cost; upstream's ``max-node-retries-system-failures``."""
MESSAGE_LIMIT = 100 * 1024
TRUNCATED = "... <Message Truncated> ..."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a retryable failure.

    :ivar again: True for another attempt
    :ivar system: the failure counts against the system budget
    :ivar error: what the node fails with when there is none
    """

    again: bool
    system: bool
    error: ExecutionError


def judge(error: ExecutionError, *, attempt: int, system_failures: int, max_attempts: int) -> Verdict:
    """Return whether a retryable failure of this attempt gets another one.

    Errors of user code count against ``max_attempts``, those of the system against :data:`MAX_SYSTEM_RETRIES`, so
    that a lost machine does not use up the user's retries (upstream's rule).
    """
    system = error.kind == ExecutionError.SYSTEM
    current = system_failures if system else attempt + 1 - system_failures
    budget = MAX_SYSTEM_RETRIES if system else max_attempts
    kind = ExecutionError.ErrorKind.Name(error.kind)
    exhausted = ExecutionError(
        code=f"RetriesExhausted|{error.code}",
        message=f"[{current}/{budget}] currentAttempt done. Last Error: {kind}::{error.message}",
        kind=ExecutionError.USER,
        timestamp=error.timestamp if error.HasField("timestamp") else None,
    )
    return Verdict(current < budget, system, exhausted)


def is_interruptible(wanted: bool, system_failures: int) -> bool:
    """Return whether this attempt may run on interruptible machines: the last system retry does not."""
    return wanted and system_failures < MAX_SYSTEM_RETRIES - 1


def truncated(error: ExecutionError) -> ExecutionError:
    """Return the error with its message cut in the middle at 100 KiB, as upstream cuts it for events."""
    if len(error.message) <= MESSAGE_LIMIT:
        return error
    half = (MESSAGE_LIMIT - len(TRUNCATED)) // 2
    short = ExecutionError()
    short.CopyFrom(error)
    short.message = error.message[:half] + TRUNCATED + error.message[-half:]
    return short
