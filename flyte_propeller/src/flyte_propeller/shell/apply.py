"""Creates, deletes and sets timers, after the state that intends it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, assert_never

from flyte_core.clock import Clock
from flyte_core.phases import TERMINAL_TASK_PHASES
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.effects import (
    Ask,
    AskGraph,
    AskPast,
    DeleteTask,
    DropReservation,
    Effect,
    Finish,
    GatherOutputs,
    KeepReservation,
    LaunchTask,
    LookUp,
    Publish,
    RecordEvent,
    Reserve,
    WakeAt,
)
from flyte_propeller.machine.facts import Launch
from flyte_propeller.shell.caching import Caching
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.outside import Outside

LAUNCH_AGAIN = timedelta(seconds=2)
"""How long an attempt waits that found no resources; upstream's back-off starts with this."""


async def apply(
    execution: Execution, effects: Sequence[Effect], outside: Outside, caching: Caching, clock: Clock
) -> bool:
    """Do what is left of the effects once events and state are stored. Return True when there are new facts.

    All are tried; the first fault is raised at the end, and everything is looked at again in the next round.
    """
    calls: list[Coroutine[Any, Any, bool | None]] = []
    for effect in effects:
        match effect:
            case LaunchTask():
                calls.append(_launch(execution, effect, outside, clock))
            case DeleteTask():
                calls.append(_delete(execution, effect, outside))
            case KeepReservation() | DropReservation():
                calls.append(caching.tell(effect))
            case WakeAt(node=node, at=at):
                execution.timers.set(at, node)
            case Finish():
                execution.finished = True
            case Ask() | AskGraph() | AskPast() | GatherOutputs() | LookUp() | Reserve() | Publish() | RecordEvent():
                pass  # done already: step 2 and 3 of the contract
            case _:
                assert_never(effect)
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            execution.inbox.whole = True
            raise result
    return any(results)


async def _launch(execution: Execution, effect: LaunchTask, outside: Outside, clock: Clock) -> bool:
    key = (effect.node, effect.attempt)
    result = await outside.launch(execution, effect)
    if isinstance(result, PhaseInfo):
        if result.phase not in TERMINAL_TASK_PHASES:
            execution.timers.set(clock.now() + LAUNCH_AGAIN, effect.node)
        execution.inbox.launched[key] = result
    else:
        execution.inbox.launched[key] = Launch(result.token)
        execution.inbox.dirty.add(effect.node)
    return True


async def _delete(execution: Execution, effect: DeleteTask, outside: Outside) -> bool:
    gone = await outside.delete(execution, (effect.node, effect.attempt), effect.token)
    if gone:
        execution.inbox.gone.add((effect.node, effect.attempt))
    return gone
