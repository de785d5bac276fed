"""Sends the events of a step to the control plane, and says what its answers mean."""

from __future__ import annotations

from collections.abc import Sequence

from flyte_core.errors import SystemFault
from flyte_core.events import Verdict
from flyte_propeller.machine.effects import Effect, RecordEvent
from flyte_propeller.machine.facts import Refusal
from flyte_propeller.shell.ports import AdminEvents, EventReply

PASSED = (Verdict.RECORDED, Verdict.ALREADY_RECORDED)


async def report(admin: AdminEvents, effects: Sequence[Effect], *, ready: bool) -> Refusal | None:
    """Report all events of a step. Return why the control plane does not take one, None when it took all.

    A node or attempt which the control plane has as ended keeps what it has: only its own event is left out.

    :param ready: the execution has not begun: the control plane may not know it yet
    :raises flyte_core.errors.SystemFault: if the control plane does not answer, or gives no reply
    """
    events = [effect for effect in effects if isinstance(effect, RecordEvent)]
    while events:
        replies = await admin.record([event.request for event in events])
        if not replies:
            raise SystemFault(f"the control plane gave no reply to {len(events)} events")
        last, event = replies[-1], events[len(replies) - 1]
        ended_node = last.verdict is Verdict.TERMINAL and event.node is not None
        if last.verdict not in PASSED and not ended_node:
            return _refusal(last, event, ready=ready)
        events = events[len(replies) :]
    return None


def _refusal(reply: EventReply, event: RecordEvent, *, ready: bool) -> Refusal:
    match reply.verdict:
        case Verdict.UNKNOWN_EXECUTION:
            if ready:
                raise SystemFault(f"the control plane does not know the execution yet: {reply.message}")
            return Refusal(reply.message, "ExecutionNotFound")
        case Verdict.FOREIGN_CLUSTER:
            return Refusal(f"Workflow execution cluster reassigned: {reply.message}", "EventIncompatibleClusterError")
        case Verdict.REJECTED if event.node is not None:
            return Refusal(reply.message, "NodeFailed", event.node, closed=False)
        case _:
            text = f"workflow state mismatch between propeller and control plane; {reply.message}"
            return Refusal(text)
