"""The control plane as the propeller sees it when both live in one process: the same recorder, no wire in between."""

from __future__ import annotations

from collections.abc import Sequence

from flyte_admin.executions.events import EventRecorder
from flyte_core.events import ExecutionEventRequest
from flyte_propeller.shell.ports import EventReply


class InProcessAdmin:
    """Implements :class:`flyte_propeller.shell.ports.AdminEvents` over the control plane's own recorder."""

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        """Record all events in one transaction; see the port for what the replies mean."""
        outcomes = await self._recorder.record(events)
        return [EventReply(outcome.verdict, outcome.message) for outcome in outcomes]
