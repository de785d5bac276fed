"""Asks the catalog for the machine. What goes wrong there is an answer too: the task runs without a cache."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from flyteidl.core.catalog_pb2 import (
    CACHE_EVICTED,
    CACHE_HIT,
    CACHE_LOOKUP_FAILURE,
    CACHE_MISS,
    CACHE_POPULATED,
    CACHE_PUT_FAILURE,
    CatalogReservation,
)
from flyteidl.core.literals_pb2 import Literal, LiteralMap
from flyteidl.core.types_pb2 import BlobType
from flyteidl.event.event_pb2 import TaskNodeMetadata
from google.protobuf.message import DecodeError

from flyte_core.errors import FlyteError, InvalidInput, NotFound, TooLarge
from flyte_core.identifiers import attempt_name
from flyte_core.storage import BlobStore
from flyte_propeller.machine.caching import HEARTBEAT
from flyte_propeller.machine.effects import CacheQuestion, DropReservation, KeepReservation, LookUp, Publish, Reserve
from flyte_propeller.machine.workflow import Node
from flyte_propeller.shell.catalog_keys import CacheKey, cache_key
from flyte_propeller.shell.contexts import task_context
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.ports import Catalog

LOG = logging.getLogger(__name__)


class Caching:
    """Talks to the catalog about the nodes of one execution.

    :param catalog: None where there is none: nothing is cached
    :param limit: bytes of one outputs object
    """

    def __init__(self, execution: Execution, catalog: Catalog | None, store: BlobStore, limit: int) -> None:
        self._execution = execution
        self._catalog = catalog
        self._store = store
        self._limit = limit

    async def answer(self, question: CacheQuestion) -> TaskNodeMetadata:
        """Return the answer.

        :raises flyte_core.errors.Unavailable: if the object store does not answer
        """
        if self._catalog is None:
            return TaskNodeMetadata()
        try:
            key = await self._key(question.node)
        except InvalidInput as error:
            LOG.warning("%s: %s", self._execution.workflow.execution.name, error)
            failed = CACHE_PUT_FAILURE if isinstance(question, Publish) else CACHE_LOOKUP_FAILURE
            return TaskNodeMetadata(cache_status=failed)
        match question:
            case LookUp(node=index):
                return await self._look_up(self._catalog, key, index)
            case Reserve(node=index):
                return await self._reserve(self._catalog, key, index)
            case Publish():
                return await self._publish(self._catalog, key, question)

    async def tell(self, effect: KeepReservation | DropReservation) -> None:
        """Extend the node's reservation, or give it up. What goes wrong is logged: it expires."""
        if self._catalog is None:
            return
        try:
            key, owner = await self._key(effect.node), self._owner(effect.node)
            if isinstance(effect, KeepReservation):
                await self._catalog.reserve(key, owner, HEARTBEAT)
            else:
                await self._catalog.release(key, owner)
        except FlyteError as error:
            self._complain(effect.node, "its reservation was not changed", error)

    async def _look_up(self, catalog: Catalog, key: CacheKey, index: int) -> TaskNodeMetadata:
        try:
            found = await catalog.get(key)
        except FlyteError as error:
            self._complain(index, "its result was not looked up", error)
            return TaskNodeMetadata(cache_status=CACHE_LOOKUP_FAILURE)
        if found is None:
            return TaskNodeMetadata(cache_status=CACHE_MISS)
        gone = await self._missing_object(found.outputs)
        if gone:
            LOG.warning("%s: node %s runs: its cached result refers to %s, which is gone", *self._named(index), gone)
            return TaskNodeMetadata(cache_status=CACHE_EVICTED)
        data = found.outputs.SerializeToString(deterministic=True)
        await self._store.write(self._execution.workflow.paths_of(self._node(index)).outputs(0), data)
        return TaskNodeMetadata(cache_status=CACHE_HIT, catalog_key=found.metadata)

    async def _reserve(self, catalog: Catalog, key: CacheKey, index: int) -> TaskNodeMetadata:
        try:
            held = await catalog.reserve(key, self._owner(index), HEARTBEAT)
        except FlyteError as error:
            self._complain(index, "it runs without a reservation", error)
            failure = CatalogReservation.RESERVATION_FAILURE
            return TaskNodeMetadata(cache_status=CACHE_LOOKUP_FAILURE, reservation_status=failure)
        answer = await self._look_up(catalog, key, index)
        if answer.cache_status != CACHE_HIT:
            status = CatalogReservation.RESERVATION_ACQUIRED if held else CatalogReservation.RESERVATION_EXISTS
            answer.reservation_status = status
        elif held:
            answer.reservation_status = await self._release(catalog, key, index)
        return answer

    async def _publish(self, catalog: Catalog, key: CacheKey, question: Publish) -> TaskNodeMetadata:
        node, answer = self._node(question.node), TaskNodeMetadata(cache_status=CACHE_PUT_FAILURE)
        source = task_context(self._execution.workflow, node, question.attempt).id
        try:
            uri = self._execution.workflow.paths_of(node).outputs(question.attempt)
            outputs = LiteralMap.FromString(await self._store.read(uri, limit=self._limit))
        except (NotFound, TooLarge, DecodeError) as error:
            self._complain(question.node, "its result was not stored", error)
        else:
            try:
                stored = await catalog.put(key, outputs, source, overwrite=question.overwrite)
                answer = TaskNodeMetadata(cache_status=CACHE_POPULATED, catalog_key=stored)
            except FlyteError as error:
                self._complain(question.node, "its result was not stored", error)
        if question.reserved:
            answer.reservation_status = await self._release(catalog, key, question.node)
        return answer

    async def _release(self, catalog: Catalog, key: CacheKey, index: int) -> CatalogReservation.Status.ValueType:
        try:
            await catalog.release(key, self._owner(index))
        except FlyteError as error:
            self._complain(index, "its reservation was not given up", error)
            return CatalogReservation.RESERVATION_FAILURE
        return CatalogReservation.RESERVATION_RELEASED

    async def _key(self, index: int) -> CacheKey:
        node = self._node(index)
        assert node.task is not None, "only tasks are cached"
        inputs = self._execution.inputs.get(index)
        if inputs is None:  # after the node's end, or a restart
            uri = self._execution.workflow.paths_of(node).inputs
            try:
                inputs = LiteralMap.FromString(await self._store.read(uri))
            except (NotFound, DecodeError) as error:
                raise InvalidInput(f"the inputs of node {node.unique_id} cannot be read: {error}") from error
        return cache_key(node.task, inputs)

    def _owner(self, index: int) -> str:
        """Return upstream's name of who reserves; the attempt is left out, as a retry goes on with the reservation."""
        return attempt_name(self._execution.workflow.execution.name, self._node(index).unique_id, 0)

    def _node(self, index: int) -> Node:
        return self._execution.workflow.nodes[index]

    def _named(self, index: int) -> tuple[str, str]:
        return self._execution.workflow.execution.name, self._node(index).unique_id

    def _complain(self, index: int, what: str, error: Exception) -> None:
        LOG.warning("%s: node %s: %s: %s", *self._named(index), what, error)

    async def _missing_object(self, outputs: LiteralMap) -> str:
        """Return a URI in our store that the result refers to and that is no longer there; empty where none is."""
        places = {place for literal in outputs.literals.values() for place in _places(literal)}
        own = [(uri, folder) for uri, folder in sorted(places) if self._store.owns(uri)]
        there = await asyncio.gather(*(self._is_there(uri, folder=folder) for uri, folder in own))
        return next((uri for (uri, _), found in zip(own, there, strict=True) if not found), "")

    async def _is_there(self, uri: str, *, folder: bool) -> bool:
        if await self._store.stat(uri) is not None:
            return True
        if not folder:
            return False
        async for _ in self._store.list(f"{uri.rstrip('/')}/"):
            return True
        return False


def _places(literal: Literal) -> Iterator[tuple[str, bool]]:
    """Yield each URI within the literal, and whether it may be a folder."""
    match literal.WhichOneof("value"):
        case "collection":
            for item in literal.collection.literals:
                yield from _places(item)
        case "map":
            for item in literal.map.literals.values():
                yield from _places(item)
        case "offloaded_metadata":
            yield literal.offloaded_metadata.uri, False
        case "scalar":
            scalar = literal.scalar
            match scalar.WhichOneof("value"):
                case "blob":
                    yield scalar.blob.uri, scalar.blob.metadata.type.dimensionality == BlobType.MULTIPART
                case "structured_dataset":
                    yield scalar.structured_dataset.uri, True
                case "schema":
                    yield scalar.schema.uri, True
                case "union":
                    yield from _places(scalar.union.value)
