"""The only reader: turns ports, state and what came in into the facts of one evaluation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from flyteidl.core.literals_pb2 import Literal, LiteralMap
from google.protobuf.message import DecodeError

from flyte_core.clock import Clock
from flyte_core.errors import NotFound, Unavailable
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import is_element
from flyte_propeller.machine.facts import Facts
from flyte_propeller.machine.state import AttemptKey
from flyte_propeller.shell.array_answers import with_whole_lists
from flyte_propeller.shell.contexts import task_context
from flyte_propeller.shell.execution import Execution, Inbox
from flyte_propeller.shell.ports import Launched, TaskHost


async def gather(execution: Execution, inbox: Inbox, host: TaskHost, store: BlobStore, clock: Clock) -> Facts:
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
            looks.append(_observe(execution, host, (index, node.attempt), node.task.token))
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


async def _observe(execution: Execution, host: TaskHost, key: AttemptKey, token: str) -> tuple[AttemptKey, PhaseInfo]:
    index, attempt = key
    context = task_context(execution.workflow, execution.workflow.at(index), attempt)
    return key, await host.observe(context, Launched(token))


async def _read_inputs(execution: Execution, store: BlobStore, index: int) -> None:
    """Have the inputs of a node in memory of which this round may create an attempt: creating it reads nothing."""
    node = execution.workflow.nodes[index]
    uri = execution.workflow.paths_of(node).inputs

    async def read(uri: str) -> Literal:
        return Literal.FromString(await store.read(uri))

    try:
        inputs = LiteralMap.FromString(await store.read(uri))
        execution.inputs[index] = await with_whole_lists(inputs, read) if node.array is not None else inputs
    except (NotFound, DecodeError) as error:
        raise Unavailable(f"the inputs of node {node.id!r} were written and cannot be read: {error}") from error
