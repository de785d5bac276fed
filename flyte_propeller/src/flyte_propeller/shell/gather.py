"""The only reader: turns ports, state and what came in into the facts of one evaluation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from flyteidl.core.literals_pb2 import Literal, LiteralMap
from google.protobuf.message import DecodeError

from flyte_core import paths
from flyte_core.clock import Clock
from flyte_core.errors import NotFound, TooLarge
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.facts import BindingFailure, Facts, Launch
from flyte_propeller.machine.state import AttemptKey
from flyte_propeller.shell.bindings import Unresolvable, resolve
from flyte_propeller.shell.contexts import task_context
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.ports import Launched, TaskHost

ABORTED_BY_DELETION = "Workflow aborted."
"""Upstream's reason for a FlyteWorkflow that is being deleted."""


async def gather(execution: Execution, host: TaskHost, store: BlobStore, clock: Clock) -> Facts:
    """Return what is known now. Attempts are looked at where something woke them, or all of them."""
    inbox, state = execution.inbox, execution.state
    indices: Iterable[int] = state.active if inbox.whole else [i for i in inbox.dirty if i in state.active]
    launched, observed = dict(inbox.launched), {}
    looks = []
    for index in indices:
        task = state.active[index].task
        key = (index, state.active[index].attempt)
        if task is None or key in launched:
            continue
        if task.token:
            looks.append(_observe(execution, host, key, task.token))
        elif inbox.whole:
            launched[key] = await launch(execution, host, store, key)
    await _confirm_deletions(execution, host)
    observed = dict(await asyncio.gather(*looks)) if looks else {}
    now = clock.now()
    due = frozenset(index for index, at in execution.timers.items() if at <= now) if execution.timers else frozenset()
    deleted = execution.manifest["metadata"].get("deletionTimestamp")
    return Facts(
        now=now,
        abort=ABORTED_BY_DELETION if deleted else None,
        launched=launched,
        observed=observed,
        gone=frozenset(inbox.gone),
        timers=due,
    )


async def _observe(execution: Execution, host: TaskHost, key: AttemptKey, token: str) -> tuple[AttemptKey, PhaseInfo]:
    index, attempt = key
    context = task_context(execution.workflow, execution.workflow.nodes[index], attempt)
    return key, await host.observe(context, Launched(token))


async def _confirm_deletions(execution: Execution, host: TaskHost) -> None:
    """Ask again for the end of what is being deleted, where something woke it."""
    inbox = execution.inbox
    for (index, attempt), token in execution.state.cleanup.items():
        if (inbox.whole or index in inbox.dirty) and (index, attempt) not in inbox.gone:
            context = task_context(execution.workflow, execution.workflow.nodes[index], attempt)
            if await host.delete(context, Launched(token) if token else None):
                inbox.gone.add((index, attempt))


async def launch(execution: Execution, host: TaskHost, store: BlobStore, key: AttemptKey) -> Launch | PhaseInfo:
    """Create the attempt, or find it."""
    index, attempt = key
    node = execution.workflow.nodes[index]
    known = execution.state.active.get(index)
    failures = known.system_failures if known is not None else 0
    inputs = execution.inputs.get(index)
    if inputs is None:
        uri = paths.NodePaths.top(execution.workflow.data_dir, node.id).inputs
        inputs = execution.inputs[index] = LiteralMap.FromString(await store.read(uri))
    context = task_context(execution.workflow, node, attempt, system_failures=failures, inputs=inputs)
    result = await host.launch(context)
    return Launch(result.token) if isinstance(result, Launched) else result


class Answers:
    """Answers what the machine asks for within a round: the inputs of nodes."""

    def __init__(self, execution: Execution, store: BlobStore, limit: int) -> None:
        self._execution = execution
        self._store = store
        self._limit = limit

    async def add(self, facts: Facts, asked: list[int]) -> Facts:
        """Return the facts with the inputs of these nodes."""
        answers = await asyncio.gather(*(self._inputs(index) for index in asked))
        return replace(facts, inputs={**facts.inputs, **dict(zip(asked, answers, strict=True))})

    async def _inputs(self, index: int) -> LiteralMap | BindingFailure:
        workflow = self._execution.workflow
        node = workflow.nodes[index]
        where = paths.NodePaths.top(workflow.data_dir, node.id)
        if node.kind == "start":
            await self._store.write(where.outputs(0), workflow.inputs.SerializeToString(deterministic=True))
            self._execution.keep_outputs(index, workflow.inputs)
            return workflow.inputs
        try:
            inputs = await resolve(node.bindings, self._outputs_of, self._read_literal)
        except Unresolvable as error:
            return BindingFailure(f"BindingResolutionError: node [{node.id}]: {error}")
        data = inputs.SerializeToString(deterministic=True)
        if len(data) > self._limit:
            return BindingFailure(
                f"inputs of node [{node.id}] are {len(data)} bytes, the limit (output_limit) is {self._limit}"
            )
        await self._store.write(where.inputs, data)
        if node.kind == "end":
            await self._store.write(where.outputs(0), data)
        else:
            self._execution.inputs[index] = inputs
        return inputs

    async def _outputs_of(self, node_id: str) -> LiteralMap:
        execution = self._execution
        index = execution.index.get(node_id or paths.START_NODE)
        if index is None:
            raise Unresolvable(f"there is no node [{node_id}]")
        kept = execution.outputs.get(index)
        if kept is not None:
            return kept
        ended = execution.state.settled.get(index) or execution.state.active.get(index)
        node = execution.workflow.nodes[index]
        uri = paths.NodePaths.top(execution.workflow.data_dir, node.id).outputs(ended.attempt if ended else 0)
        try:
            outputs = LiteralMap.FromString(await self._store.read(uri, limit=self._limit))
        except (NotFound, TooLarge, DecodeError) as error:
            raise Unresolvable(f"outputs of node [{node.id}] cannot be read: {error}") from error
        for variable, alias in node.aliases:
            if variable in outputs.literals:
                outputs.literals[alias].CopyFrom(outputs.literals[variable])
        execution.keep_outputs(index, outputs)
        return outputs

    async def _read_literal(self, uri: str) -> Literal:
        try:
            return Literal.FromString(await self._store.read(uri, limit=self._limit))
        except (NotFound, TooLarge, DecodeError) as error:
            raise Unresolvable(f"the offloaded literal {uri} cannot be read: {error}") from error
