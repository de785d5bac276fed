"""Answers what the machine asks for within a round: inputs of nodes, resolved and written; the past; the catalog."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Scalar, Union
from flyteidl.core.types_pb2 import Error, LiteralType, SimpleType, TypeStructure
from google.protobuf.message import DecodeError

from flyte_core import paths
from flyte_core.errors import NotFound, TooLarge
from flyte_core.storage import BlobStore
from flyte_propeller.machine.addresses import is_element, node_of
from flyte_propeller.machine.effects import Ask, AskPast, Effect, GatherOutputs, Question
from flyte_propeller.machine.facts import BindingFailure, Facts
from flyte_propeller.machine.workflow import Node, Workflow
from flyte_propeller.shell.array_answers import gathered_outputs, with_whole_lists, written_element_inputs
from flyte_propeller.shell.bindings import Unresolvable, resolve
from flyte_propeller.shell.caching import Caching
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.recovering import Recovering

ERROR_INPUT = "err"
"""Input of a failure node that gets the workflow's error, where it has an input of that name."""


def unanswered(effects: Sequence[Effect], facts: Facts) -> list[Question]:
    """Return what the machine asks for and does not know yet."""
    return [effect for effect in effects if isinstance(effect, Question) and not _is_answered(facts, effect)]


def _is_answered(facts: Facts, question: Question) -> bool:
    match question:
        case Ask(node=node):
            return node in facts.inputs
        case GatherOutputs(node=node):
            return node in facts.gathered
        case AskPast(node=node):
            return node in facts.past
        case _:
            return question in facts.catalog


class Answers:
    """Answers for one execution.

    :param limit: bytes of one inputs or outputs object
    """

    def __init__(
        self, execution: Execution, store: BlobStore, caching: Caching, recovering: Recovering, limit: int
    ) -> None:
        self._execution = execution
        self._caching = caching
        self._recovering = recovering
        self._store = store
        self._limit = limit

    async def add(self, facts: Facts, asked: Sequence[Question]) -> Facts:
        """Return the facts with the answers to what is asked."""
        inputs, gathered = dict(facts.inputs), dict(facts.gathered)
        past, catalog = dict(facts.past), dict(facts.catalog)

        async def answer(question: Question) -> None:
            if isinstance(question, Ask):
                inputs[question.node] = await self._inputs(question)
            elif isinstance(question, GatherOutputs):
                gathered[question.node] = await self._gathered(question)
            elif isinstance(question, AskPast):
                past[question.node] = await self._recovering.node(self._execution.workflow.nodes[question.node])
            else:
                catalog[question] = await self._caching.answer(question)

        await asyncio.gather(*map(answer, asked))
        return replace(facts, inputs=inputs, gathered=gathered, past=past, catalog=catalog)

    async def _gathered(self, ask: GatherOutputs) -> LiteralMap | BindingFailure:
        return await gathered_outputs(self._execution.workflow, ask, self._store, self._limit)

    async def _inputs(self, ask: Ask) -> LiteralMap | BindingFailure:
        workflow = self._execution.workflow
        if is_element(ask.node):
            inputs = self._execution.inputs[node_of(ask.node)]
            return await written_element_inputs(workflow, ask.node, inputs, self._store)
        node = workflow.nodes[ask.node]
        where = workflow.paths_of(node)
        if node.kind == "start":
            await self._store.write(where.outputs(0), workflow.inputs.SerializeToString(deterministic=True))
            self._execution.keep_outputs(where.outputs(0), workflow.inputs)
            return workflow.inputs
        if ask.outputs_of is not None:
            return await self._copied_outputs(ask.outputs_of, where.outputs(0))
        try:
            inputs = await resolve(node.bindings, self._outputs_of, self._read_literal)
            whole = await with_whole_lists(inputs, self._read_literal) if node.array is not None else inputs
        except Unresolvable as error:
            return BindingFailure(f"BindingResolutionError: node [{node.id}]: {error}")
        if ask.error is not None and ERROR_INPUT in inputs.literals:
            inputs.literals[ERROR_INPUT].CopyFrom(error_literal(ask.error, node))
        data = inputs.SerializeToString(deterministic=True)
        if len(data) > self._limit:
            return BindingFailure(
                f"inputs of node [{node.id}] are {len(data)} bytes, the limit (output_limit) is {self._limit}"
            )
        await self._store.write(where.inputs, data)
        for uri in _copies(workflow, node):
            await self._store.write(uri, data)
        if node.kind in ("task", "launch_plan", "gate", "array"):
            self._execution.inputs[ask.node] = whole
        return whole

    async def _copied_outputs(self, source: tuple[int, int], target: str) -> LiteralMap | BindingFailure:
        """Make a case's outputs those of its branch; a node without outputs has none to copy."""
        workflow, (index, attempt) = self._execution.workflow, source
        case = workflow.nodes[index]
        outputs = LiteralMap()
        if not case.sleeps and (case.task is None or case.task.interface.outputs.variables):
            try:
                data = await self._store.read(workflow.paths_of(case).outputs(attempt), limit=self._limit)
                outputs = LiteralMap.FromString(data)
            except (NotFound, TooLarge, DecodeError) as error:
                return BindingFailure(f"outputs of node [{case.id}] cannot be read: {error}")
        await self._store.write(target, outputs.SerializeToString(deterministic=True))
        return outputs

    async def _outputs_of(self, node_id: str) -> LiteralMap:
        execution = self._execution
        index = execution.index.get(node_id or paths.START_NODE)
        if index is None:
            raise Unresolvable(f"there is no node [{node_id}]")
        node = execution.workflow.nodes[index]
        ended = execution.state.settled.get(index) or execution.state.active.get(index)
        uri = execution.workflow.paths_of(node).outputs(ended.attempt if ended else 0)
        kept = execution.outputs.get(uri)
        if kept is not None:
            return kept
        try:
            outputs = LiteralMap.FromString(await self._store.read(uri, limit=self._limit))
        except (NotFound, TooLarge, DecodeError) as error:
            raise Unresolvable(f"outputs of node [{node.id}] cannot be read: {error}") from error
        for variable, alias in node.aliases:
            if variable in outputs.literals:
                outputs.literals[alias].CopyFrom(outputs.literals[variable])
        execution.keep_outputs(uri, outputs)
        return outputs

    async def _read_literal(self, uri: str) -> Literal:
        try:
            return Literal.FromString(await self._store.read(uri, limit=self._limit))
        except (NotFound, TooLarge, DecodeError) as error:
            raise Unresolvable(f"the offloaded literal {uri} cannot be read: {error}") from error


def _copies(workflow: Workflow, node: Node) -> list[str]:
    """Return what else a node's inputs are: outputs of the workflow that ends, or of the start of one that begins."""
    if node.kind == "end" and node.parent is not None:
        return [workflow.paths_of(workflow.nodes[node.parent]).outputs(node.parent_attempt)]
    if node.kind == "end":
        return [workflow.paths_of(node).outputs(0)]
    if node.inner is not None:
        return [workflow.paths_of(workflow.nodes[node.inner[0]]).outputs(0)]
    return []


def error_literal(error: ExecutionError, node: Node) -> Literal:
    """Return the workflow's error as a failure node gets it.

    :param node: the failure node; upstream names it, and not the node that failed, as the failed one
    """
    value = Literal(scalar=Scalar(error=Error(message=error.message, failed_node_id=node.id)))
    kind = LiteralType(simple=SimpleType.ERROR, structure=TypeStructure(tag="FlyteError"))
    return Literal(scalar=Scalar(union=Union(value=value, type=kind)))
