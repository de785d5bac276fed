"""The only reader: turns ports, state and what came in into the facts of one evaluation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from flyte_core.clock import Clock
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import is_element
from flyte_propeller.machine.facts import Facts
from flyte_propeller.machine.state import AttemptKey
from flyte_propeller.shell.execution import Execution, Inbox
from flyte_propeller.shell.inputs import inputs_of
from flyte_propeller.shell.outside import Outside


async def gather(execution: Execution, inbox: Inbox, outside: Outside, store: BlobStore, clock: Clock) -> Facts:
    """Return what is known now. Attempts are looked at where something woke them, or all of them."""
    state = execution.state
    inbox.due |= execution.timers.take_due(clock.now())
    looked_at = _everything(execution) if inbox.whole else inbox.dirty | inbox.due
    looks: list[Awaitable[tuple[AttemptKey, PhaseInfo] | None]] = []
    for index in sorted(looked_at | {index for index, _ in inbox.gone}):
        node = state.running_at(index)
        if node is None:
            continue
        if (index, node.attempt) in inbox.launched:
            execution.inbox.dirty.add(index)  # its token is stored by this round: it can be looked at in the next
        elif node.task is not None and node.task.token:
            looks.append(_observe(execution, outside, (index, node.attempt), node.task.token))
        elif index not in execution.inputs and not is_element(index):  # an element's are those of its array node
            looks.append(_read_inputs(execution, store, index))
    seen = await asyncio.gather(*looks) if looks else []
    return Facts(
        now=clock.now(),
        launched=dict(inbox.launched),
        observed=dict(look for look in seen if look is not None),
        gone=frozenset(inbox.gone),
        timers=frozenset(inbox.due),
        looked_at=frozenset(looked_at),
    )


def _everything(execution: Execution) -> set[int]:
    state = execution.state
    return {*state.active, *state.elements, *(index for index, _ in state.cleanup)}


async def _observe(execution: Execution, outside: Outside, key: AttemptKey, token: str) -> tuple[AttemptKey, PhaseInfo]:
    return key, await outside.observe(execution, key, token)


async def _read_inputs(execution: Execution, store: BlobStore, index: int) -> None:
    """Have the inputs of a node in memory of which this round may create an attempt: creating it reads nothing."""
    await inputs_of(execution, store, index)
