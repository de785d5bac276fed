"""What the machine remembers of an array node: three bytes for each element, however many have ended.

Elements that run are kept apart (:attr:`flyte_propeller.machine.state.WorkflowState.elements`); they begin in order, so
that of the others a count tells which they are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from flyteidl.core.execution_pb2 import ExecutionError

SLOT = struct.Struct(">BH")
"""Of an element: 0 until it has ended, :data:`SUCCEEDED` or :data:`FAILED`; the attempt that ended it."""
RUNS, SUCCEEDED, FAILED = range(3)
FAILURES_KEPT = 10
"""Failures of elements whose text is kept, the first ones; the others are counted."""
TEXT_KEPT = 2_000
"""Characters of each of them."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How an element has failed for good."""

    element: int
    code: str
    message: str
    kind: int


@dataclass(frozen=True, slots=True)
class ArrayState:
    """The elements of one array node.

    :ivar ended: a :data:`SLOT` for each element
    :ivar begun: elements that have begun: those of a lower index than this
    :ivar version: of the last event of the task execution that stands for all elements
    :ivar failures: the first of :attr:`failed`
    """

    size: int
    ended: bytes
    begun: int = 0
    succeeded: int = 0
    failed: int = 0
    version: int = 0
    failures: tuple[Failure, ...] = ()

    @classmethod
    def of(cls, size: int) -> ArrayState:
        """Return that of so many elements of which none has begun."""
        return cls(size, bytes(size * SLOT.size))

    @property
    def live(self) -> int:
        """Return how many elements have begun and not ended."""
        return self.begun - self.succeeded - self.failed

    def outcome(self, element: int) -> tuple[int, int]:
        """Return how an element has ended (:data:`RUNS` if it has not), and by which attempt."""
        outcome, attempt = SLOT.unpack_from(self.ended, element * SLOT.size)
        return outcome, attempt

    def outcomes(self) -> list[tuple[int, int]]:
        """Return the same of all elements, in order."""
        return list(SLOT.iter_unpack(self.ended))

    def running(self) -> list[int]:
        """Return the elements that have begun and not ended."""
        return [element for element, (outcome, _) in enumerate(self.outcomes()[: self.begun]) if outcome == RUNS]

    def with_success(self, element: int, attempt: int) -> ArrayState:
        """Return the state with an element that has ended well."""
        return replace(self, ended=self._with(element, SUCCEEDED, attempt), succeeded=self.succeeded + 1)

    def with_failure(self, element: int, attempt: int, error: ExecutionError) -> ArrayState:
        """Return the state with an element that has failed for good."""
        failures = self.failures
        if len(failures) < FAILURES_KEPT:
            failures = (*failures, Failure(element, error.code, error.message[:TEXT_KEPT], error.kind))
        return replace(self, ended=self._with(element, FAILED, attempt), failed=self.failed + 1, failures=failures)

    def _with(self, element: int, outcome: int, attempt: int) -> bytes:
        start = element * SLOT.size
        return self.ended[:start] + SLOT.pack(outcome, attempt) + self.ended[start + SLOT.size :]
