"""Does what the machine wants, in the order of the contract in flyte_propeller.machine.effects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from flyte_core.errors import SystemFault
from flyte_core.storage import BlobStore
from flyte_propeller.machine.effects import (
    Ask,
    DeleteTask,
    Effect,
    Finish,
    LaunchTask,
    RecordEvent,
    WakeAt,
)
from flyte_propeller.machine.facts import Refusal
from flyte_propeller.shell.contexts import task_context
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.gather import launch
from flyte_propeller.shell.ports import AdminEvents, EventReply, Launched, TaskHost, Verdict

PASSED = (Verdict.RECORDED, Verdict.ALREADY_RECORDED)


async def send_events(admin: AdminEvents, effects: Sequence[Effect], *, ready: bool) -> Refusal | None:
    """Report all events of a step. Return why the control plane takes no more, None when it took all.

    A node or attempt which the control plane has as ended keeps what it has: only its own event is left out.

    :param ready: the execution has not begun: the control plane may not know it yet
    :raises flyte_core.errors.Unavailable: if the control plane does not answer
    """
    events = [effect for effect in effects if isinstance(effect, RecordEvent)]
    while events:
        replies = await admin.record([event.request for event in events])
        taken = len(replies)
        last = replies[-1]
        if last.verdict in PASSED:
            if taken < len(events):
                events = events[taken:]
                continue
            return None
        refused = events[taken - 1]
        if not (last.verdict is Verdict.TERMINAL and refused.node is not None):
            return _refusal(last, refused, ready=ready)
        events = events[taken:]
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
            return Refusal(reply.message, "NodeFailed", event.node)
        case _:
            text = f"workflow state mismatch between propeller and control plane; {reply.message}"
            return Refusal(text)


async def apply(execution: Execution, effects: Sequence[Effect], host: TaskHost, store: BlobStore) -> bool:
    """Create, delete and set timers, after the state is stored. What it gives goes to the inbox of the next round.

    Return True when there is something new to evaluate. A fault of one effect keeps the others from nothing; it is
    raised at the end, and everything is looked at again.
    """
    outside = [effect for effect in effects if isinstance(effect, LaunchTask | DeleteTask)]
    results = await asyncio.gather(
        *(_outside(execution, effect, host, store) for effect in outside), return_exceptions=True
    )
    for effect in effects:
        match effect:
            case WakeAt(node=node, at=at):
                _set_timer(execution, node, at)
            case Finish():
                execution.finished = True
            case Ask() | RecordEvent() | LaunchTask() | DeleteTask():
                pass
            case _:
                assert_never(effect)
    for result in results:
        if isinstance(result, BaseException):
            execution.inbox.whole = True
            raise result
    return any(result is True for result in results)


def _set_timer(execution: Execution, node: int, at: datetime) -> None:
    known = execution.timers.get(node)
    execution.timers[node] = at if known is None else min(known, at)


async def _outside(execution: Execution, effect: LaunchTask | DeleteTask, host: TaskHost, store: BlobStore) -> bool:
    key = (effect.node, effect.attempt)
    if isinstance(effect, LaunchTask):
        execution.inbox.launched[key] = await launch(execution, host, store, key)
        execution.inbox.dirty.add(effect.node)
        return True
    context = task_context(execution.workflow, execution.workflow.nodes[effect.node], effect.attempt)
    if await host.delete(context, Launched(effect.token) if effect.token else None):
        execution.inbox.gone.add(key)
        return True
    return False
