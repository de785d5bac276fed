"""The graphs that dynamic tasks make: compiled once from what the task left, then read again from what was compiled."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure
from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.event.event_pb2 import DynamicWorkflowNodeMetadata
from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError

from flyte_core import paths
from flyte_core.compiler import (
    LaunchPlanInterface,
    compile_dynamic,
    launch_plan_interface,
    launch_plans_named,
)
from flyte_core.errors import InvalidInput, NotFound, TooLarge, UserError
from flyte_core.flyteworkflow import closure_parts
from flyte_core.storage import BlobStore
from flyte_propeller.graph_reader import GraphReader, PluginOf
from flyte_propeller.machine.effects import AskGraph
from flyte_propeller.machine.facts import Facts, Graph, GraphFailure
from flyte_propeller.machine.state import Graft
from flyte_propeller.machine.workflow import Node, Workflow
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.ports import LaunchPlans

T = TypeVar("T")
BUILD_FAILED = "DynamicWorkflowBuildFailed"
"""Upstream's code for a graph that is none."""
MAX_DYNAMIC_DEPTH = 50
"""Dynamic nodes within dynamic nodes, at most: one that makes itself again and again is found out."""
VERSION_LENGTH = 10
LARGE = 256 * 2**10
"""Bytes of a specification whose work takes long enough, a tenth of a second, to keep others waiting."""
READ_AHEAD = 32
"""Compiled graphs that are read at once after a restart."""


class Graphs:
    """Lays out the graphs of one execution."""

    def __init__(
        self,
        execution: Execution,
        store: BlobStore,
        admin: LaunchPlans,
        settings: PropellerSettings,
        plugin_of: PluginOf,
    ) -> None:
        self._execution = execution
        self._store = store
        self._admin = admin
        self._settings = settings
        self._plugin_of = plugin_of

    async def add(self, facts: Facts, asked: Sequence[AskGraph]) -> Facts:
        """Return the facts with the graphs that are asked for."""
        answers = dict(facts.graphs)
        for ask in asked:
            answers[ask] = await self._answer(ask, facts)
        return replace(facts, graphs=answers)

    async def _answer(self, ask: AskGraph, facts: Facts) -> Graph | GraphFailure:
        try:
            return await self._lay_out(ask, self._nodes_before(ask, facts))
        except UserError as error:
            text = f"[UserError] malformed dynamic workflow, caused by: {error}"
            return GraphFailure(ExecutionError(code=BUILD_FAILED, message=text, kind=ExecutionError.USER))

    def _nodes_before(self, ask: AskGraph, facts: Facts) -> Sequence[Node]:
        """Return all nodes in front of the graph: those of the execution, and of graphs laid out in this same round."""
        nodes = list(self._execution.workflow.nodes)
        for other in sorted(facts.graphs, key=lambda other: other.first):
            graph = facts.graphs[other]
            if isinstance(graph, Graph) and other.first == len(nodes) < ask.first:
                nodes += graph.nodes
        assert len(nodes) == ask.first, "graphs are asked for one behind the other"
        return nodes

    async def _lay_out(self, ask: AskGraph, known: Sequence[Node]) -> Graph:
        workflow, maker = self._execution.workflow, known[ask.node]
        assert maker.task is not None, "a dynamic node has a task"
        _check_depth(maker, known)
        folder = workflow.paths_of(maker).output_dir(ask.attempt)
        uri = paths.join(folder, paths.FUTURES)
        data = await self._read(uri)
        spec = _job_spec(data, uri)
        before = len(known) - self._execution.declared_nodes
        self._check_size(len(spec.nodes), before)  # before the work of compiling it
        identifier = _identifier(workflow, maker, ask.attempt, data)
        plans = await self._launch_plans(spec)
        closure = await _aside(len(data), lambda: compile_dynamic(spec, identifier, maker.task, plans))
        place = _Place(workflow.data_dir, known, maker, ask.attempt)
        nodes, start = await _nodes(closure, len(data), place, self._plugin_of)
        self._check_size(len(nodes), before)
        _check_ids(nodes, known, uri)
        compiled = closure.SerializeToString(deterministic=True)
        await self._store.write(paths.join(folder, paths.DYNAMIC_COMPILED), compiled)
        outputs = workflow.paths_of(nodes[start - ask.first]).outputs(0)
        await self._store.write(outputs, LiteralMap().SerializeToString())
        made = DynamicWorkflowNodeMetadata(id=identifier, compiled_workflow=closure, dynamic_job_spec_uri=uri)
        return Graph(nodes, start, made)

    async def _launch_plans(self, spec: DynamicJobSpec) -> list[LaunchPlanInterface]:
        """Return the launch plans that nodes name; what is not registered is for the compiler to report."""
        named = launch_plans_named(spec)
        found = [await self._admin.get_launch_plan(identifier) for identifier in named]
        return [
            launch_plan_interface(identifier, plan.closure)
            for identifier, plan in zip(named, found, strict=True)
            if plan is not None
        ]

    async def _read(self, uri: str) -> bytes:
        limit = self._settings.output_limit
        try:
            return await self._store.read(uri, limit=limit)
        except NotFound as error:
            raise InvalidInput(f"the job specification is no longer there: {error}") from error
        except TooLarge as error:
            raise InvalidInput(f"{error} (setting output_limit: {limit} bytes)") from error

    def _check_size(self, added: int, before: int) -> None:
        limit = self._settings.dynamic_node_limit
        if before + added > limit:
            raise InvalidInput(
                f"{added} nodes, with {before} that dynamic tasks have added before: more than {limit} "
                "(setting dynamic_node_limit); do more in each task, or use map_task"
            )


def _check_ids(nodes: Sequence[Node], known: Sequence[Node], uri: str) -> None:
    """Refuse two nodes of one id: ids that are too long are hashes of 32 bits."""
    seen = {node.unique_id: node for node in known}
    for node in nodes:
        other = seen.setdefault(node.unique_id, node)
        if other is not node:
            text = f"the nodes {other.id!r} and {node.id!r} of {uri} would have the same id {node.unique_id!r}"
            raise InvalidInput(f"{text} within the execution; rename one of them (with_overrides(node_name=...))")


def _check_depth(maker: Node, known: Sequence[Node]) -> None:
    depth, parent = 0, maker.parent
    while parent is not None:
        depth, parent = depth + (known[parent].kind == "task"), known[parent].parent
    if depth >= MAX_DYNAMIC_DEPTH:
        raise InvalidInput(f"dynamic tasks are nested deeper than {MAX_DYNAMIC_DEPTH}")


def _job_spec(data: bytes, uri: str) -> DynamicJobSpec:
    try:
        return DynamicJobSpec.FromString(data)
    except DecodeError as error:
        raise InvalidInput(f"{uri} is no flyteidl.core.DynamicJobSpec: {error}") from error


def _identifier(workflow: Workflow, maker: Node, attempt: int, data: bytes) -> Identifier:
    """Return upstream's name; the version is a digest where upstream's is random, so that it is the same again."""
    digest = hashlib.sha256(f"{workflow.execution.name} {maker.unique_id} {attempt} ".encode() + data).digest()
    return Identifier(
        resource_type=ResourceType.WORKFLOW,
        project=workflow.execution.project,
        domain=workflow.execution.domain,
        name=f"dynamic_{maker.unique_id}",
        version=base64.b32encode(digest).decode().lower()[:VERSION_LENGTH],
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a graph goes: behind these nodes, within that attempt of the node that made it."""

    data_dir: str
    known: Sequence[Node]
    maker: Node
    attempt: int


async def _nodes(
    closure: CompiledWorkflowClosure, size: int, place: _Place, plugin_of: PluginOf
) -> tuple[tuple[Node, ...], int]:
    """Return the graph's nodes and the index of its start node."""
    plugins = {task.template.type: plugin_of(task.template.type) for task in closure.tasks}

    def read() -> tuple[tuple[Node, ...], int]:
        parts = closure_parts(closure)
        manifest = {"tasks": parts.tasks, "subWorkflows": parts.sub_workflows}
        reader = GraphReader(manifest, place.data_dir, plugins.__getitem__)
        return reader.read_within(parts.spec, place.known, place.maker, place.attempt)

    try:
        return await _aside(size, read)
    except (KeyError, TypeError, AttributeError, ParseError, ValueError) as error:
        raise InvalidInput(f"its graph is malformed: {type(error).__name__}: {error}") from error


async def _aside(size: int, work: Callable[[], T]) -> T:
    """Do the work of a specification or closure of so many bytes: a large one in a thread, so that others go on."""
    return await asyncio.to_thread(work) if size >= LARGE else work()


async def grown_again(workflow: Workflow, grafts: Sequence[Graft], store: BlobStore, plugin_of: PluginOf) -> Workflow:
    """Return the workflow with the graphs that were laid out before, each where it was.

    :raises flyte_core.errors.InvalidInput: if a graph is missing, or is not the one that was laid out
    """
    left = list(grafts)
    while left:
        near = [graft for graft in left[:READ_AHEAD] if graft.node < len(workflow.nodes)] or left[:1]
        data = await asyncio.gather(*(_read_compiled(workflow, graft, store) for graft in near))
        for graft, closure in zip(near, data, strict=True):
            maker = workflow.nodes[graft.node]
            place = _Place(workflow.data_dir, workflow.nodes, maker, graft.attempt)
            nodes, _ = await _nodes(closure, closure.ByteSize(), place, plugin_of)
            if len(nodes) != graft.size:
                text = f"the graph of node {maker.unique_id!r} has {len(nodes)} nodes and had {graft.size}"
                raise InvalidInput(f"{text} when it was begun: {paths.DYNAMIC_COMPILED} was changed")
            workflow = workflow.grown(nodes)
        del left[: len(near)]
    return workflow


async def _read_compiled(workflow: Workflow, graft: Graft, store: BlobStore) -> CompiledWorkflowClosure:
    if graft.node >= len(workflow.nodes):
        raise InvalidInput(f"the status names a graph of node {graft.node}, of {len(workflow.nodes)} nodes")
    folder = workflow.paths_of(workflow.nodes[graft.node]).output_dir(graft.attempt)
    uri = paths.join(folder, paths.DYNAMIC_COMPILED)
    try:
        return CompiledWorkflowClosure.FromString(await store.read(uri))
    except (NotFound, DecodeError) as error:
        raise InvalidInput(f"the graph of a dynamic node cannot be read again: {uri}: {error}") from error
