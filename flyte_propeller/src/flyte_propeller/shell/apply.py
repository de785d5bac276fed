"""Creates, deletes and sets timers, after the state that intends it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, assert_never

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.clock import Clock
from flyte_core.phases import TERMINAL_TASK_PHASES
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import element_of, is_element, node_of
from flyte_propeller.machine.array_inputs import element_inputs
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
from flyte_propeller.shell.contexts import task_context
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.ports import Launched, TaskHost

LAUNCH_AGAIN = timedelta(seconds=2)
"""How long an attempt waits that found no resources; upstream's back-off starts with this."""


async def apply(
    execution: Execution, effects: Sequence[Effect], host: TaskHost, caching: Caching, clock: Clock
) -> bool:
    """Do what is left of the effects once events and state are stored. Return True when there are new facts.

    All are tried; the first fault is raised at the end, and everything is looked at again in the next round.
    """
    outside: list[Coroutine[Any, Any, bool | None]] = []
    for effect in effects:
        match effect:
            case LaunchTask():
                outside.append(_launch(execution, effect, host, clock))
            case DeleteTask():
                outside.append(_delete(execution, effect, host))
            case KeepReservation() | DropReservation():
                outside.append(caching.tell(effect))
            case WakeAt(node=node, at=at):
                execution.timers.set(at, node)
            case Finish():
                execution.finished = True
            case Ask() | AskGraph() | AskPast() | GatherOutputs() | LookUp() | Reserve() | Publish() | RecordEvent():
                pass  # done already: step 2 and 3 of the contract
            case _:
                assert_never(effect)
    results = await asyncio.gather(*outside, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            execution.inbox.whole = True
            raise result
    return any(results)


async def _launch(execution: Execution, effect: LaunchTask, host: TaskHost, clock: Clock) -> bool:
    key = (effect.node, effect.attempt)
    context = task_context(
        execution.workflow,
        execution.workflow.at(effect.node),
        effect.attempt,
        system_failures=effect.system_failures,
        checkpoint=effect.checkpoint,
        inputs=_inputs(execution, effect.node),
    )
    execution.know_element(effect.node, context.generated_name)
    result = await host.launch(context)
    if isinstance(result, PhaseInfo):
        if result.phase not in TERMINAL_TASK_PHASES:
            execution.timers.set(clock.now() + LAUNCH_AGAIN, effect.node)
        execution.inbox.launched[key] = result
    else:
        execution.inbox.launched[key] = Launch(result.token)
        execution.inbox.dirty.add(effect.node)
    return True


def _inputs(execution: Execution, address: int) -> LiteralMap:
    """Return the inputs in memory: of an element, its part of those of its array node."""
    array = execution.workflow.nodes[node_of(address)].array
    if array is None or not is_element(address):
        return execution.inputs[address]
    return element_inputs(execution.inputs[node_of(address)], array.bound, element_of(address))


async def _delete(execution: Execution, effect: DeleteTask, host: TaskHost) -> bool:
    context = task_context(execution.workflow, execution.workflow.at(effect.node), effect.attempt)
    gone = await host.delete(context, Launched(effect.token) if effect.token else None)
    if gone:
        execution.inbox.gone.add((effect.node, effect.attempt))
    return gone
