"""What became of one event: a value for the propeller in the same process, an error for the RPC."""

from __future__ import annotations

from dataclasses import dataclass

from flyte_core.errors import FlyteError
from flyte_core.events import Verdict


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """The verdict on one event.

    :ivar error: what the RPC answers with; None if and only if the verdict is RECORDED
    """

    verdict: Verdict
    error: FlyteError | None = None

    @property
    def message(self) -> str:
        """The error's text, empty when the event was recorded."""
        return str(self.error) if self.error else ""

    @property
    def goes_on(self) -> bool:
        """Tell whether the events after this one may be recorded."""
        return self.verdict in (Verdict.RECORDED, Verdict.ALREADY_RECORDED)


RECORDED = EventOutcome(Verdict.RECORDED)
