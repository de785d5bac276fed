"""Uses a data catalog through its RPCs: ours, or upstream's. The order of calls is that of upstream's client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

import grpc.aio
from flyteidl.core.catalog_pb2 import CatalogArtifactTag, CatalogMetadata
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    ResourceType,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.datacatalog import datacatalog_pb2 as idl
from flyteidl.datacatalog.datacatalog_pb2_grpc import DataCatalogStub

from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists, FlyteError, InvalidInput, NotFound, SystemFault, Unavailable
from flyte_propeller.shell.catalog_keys import CacheKey
from flyte_propeller.shell.ports import CachedOutputs

Call: TypeAlias = Callable[[str, Any], Awaitable[Any]]
"""Name of an RPC of ``datacatalog.DataCatalog`` and its request → the response; raises errors of flyte_core."""

CALL_SECONDS = 5.0
"""Longest time of one call: the execution waits for it."""
PAUSES = (0.1, 0.2, 0.4)
"""Seconds before the second, third and fourth try of a call that got no answer."""
REST = timedelta(seconds=15)
"""After a call without an answer the catalog is left alone for this long: a catalog that hangs costs each node
nothing, and one of them some seconds."""


class CatalogClient:
    """Implements :class:`flyte_propeller.shell.ports.Catalog`.

    :param call: makes the RPCs
    """

    def __init__(self, call: Call, clock: Clock) -> None:
        self._rpc = call
        self._clock = clock
        self._resting_until: datetime | None = None

    async def get(self, key: CacheKey) -> CachedOutputs | None:
        """Return the result, None if there is none. An artifact of other outputs than the task's is none."""
        try:
            dataset = (await self._call("GetDataset", idl.GetDatasetRequest(dataset=key.dataset))).dataset
            request = idl.GetArtifactRequest(dataset=key.dataset, tag_name=key.tag)
            artifact = (await self._call("GetArtifact", request)).artifact
        except NotFound:
            return None
        literals = {entry.name: entry.value for entry in artifact.data}
        if literals.keys() != key.outputs.variables.keys():
            raise InvalidInput(
                f"artifact {artifact.id} has the outputs {sorted(literals)}, task {key.task.name} has "
                f"{sorted(key.outputs.variables)}"
            )
        found = _metadata(key, artifact.id)
        found.source_task_execution.CopyFrom(_source(key, dataset.metadata, artifact.metadata))
        return CachedOutputs(LiteralMap(literals=literals), found)

    async def put(
        self, key: CacheKey, outputs: LiteralMap, source: TaskExecutionIdentifier, *, overwrite: bool
    ) -> CatalogMetadata:
        """Store a result under an id that only this attempt has."""
        dataset = idl.Dataset(id=key.dataset, metadata={"key_map": {"task-version": source.task_id.version}})
        data = [idl.ArtifactData(name=name, value=value) for name, value in sorted(outputs.literals.items())]
        await self._call_once("CreateDataset", idl.CreateDatasetRequest(dataset=dataset))
        if overwrite:
            update = idl.UpdateArtifactRequest(dataset=key.dataset, tag_name=key.tag, data=data)
            update.metadata.CopyFrom(_described(source))
            try:
                found = _metadata(key, (await self._call("UpdateArtifact", update)).artifact_id)
            except NotFound:
                pass  # nothing is there to be replaced
            else:
                found.source_task_execution.CopyFrom(source)
                return found
        identifier = str(uuid5(NAMESPACE_URL, f"flyte:{key.tag}:{source.SerializeToString(deterministic=True).hex()}"))
        artifact = idl.Artifact(id=identifier, dataset=key.dataset, data=data, metadata=_described(source))
        await self._call_once("CreateArtifact", idl.CreateArtifactRequest(artifact=artifact))
        tag = idl.Tag(name=key.tag, artifact_id=identifier, dataset=key.dataset)
        await self._call_once("AddTag", idl.AddTagRequest(tag=tag))
        return _metadata(key, identifier)

    async def reserve(self, key: CacheKey, owner: str, heartbeat: timedelta) -> bool:
        """Reserve, or extend; False where it is somebody else's."""
        request = idl.GetOrExtendReservationRequest(reservation_id=_reservation(key), owner_id=owner)
        request.heartbeat_interval.FromTimedelta(heartbeat)
        reservation = (await self._call("GetOrExtendReservation", request)).reservation
        return bool(reservation.owner_id == owner)

    async def release(self, key: CacheKey, owner: str) -> None:
        """Give the reservation up."""
        request = idl.ReleaseReservationRequest(reservation_id=_reservation(key), owner_id=owner)
        await self._call("ReleaseReservation", request)

    async def _call_once(self, name: str, request: Any) -> None:
        """Have something stored; what is there already is as good."""
        try:
            await self._call(name, request)
        except AlreadyExists:
            return

    async def _call(self, name: str, request: Any) -> Any:
        if self._resting_until is not None and self._clock.now() < self._resting_until:
            raise Unavailable(f"the data catalog did not answer; it is asked again at {self._resting_until:%H:%M:%S}")
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await self._try(name, request)
        except TimeoutError as error:
            self._resting_until = self._clock.now() + REST
            raise Unavailable(f"the data catalog gave no answer to {name} within {CALL_SECONDS:g} s") from error
        except SystemFault:
            self._resting_until = self._clock.now() + REST
            raise
        self._resting_until = None
        return answer

    async def _try(self, name: str, request: Any) -> Any:
        for pause in PAUSES:
            try:
                return await self._rpc(name, request)
            except Unavailable:
                await self._clock.sleep(pause)
        return await self._rpc(name, request)


def _reservation(key: CacheKey) -> idl.ReservationID:
    return idl.ReservationID(dataset_id=key.dataset, tag_name=key.tag)


def _metadata(key: CacheKey, artifact_id: str) -> CatalogMetadata:
    dataset = key.dataset
    found = CatalogMetadata(artifact_tag=CatalogArtifactTag(artifact_id=artifact_id, name=key.tag))
    found.dataset_id.CopyFrom(
        Identifier(
            resource_type=ResourceType.DATASET,
            project=dataset.project,
            domain=dataset.domain,
            name=dataset.name,
            version=dataset.version,
        )
    )
    return found


def _described(source: TaskExecutionIdentifier) -> idl.Metadata:
    node = source.node_execution_id
    return idl.Metadata(
        key_map={
            "exec-project": node.execution_id.project,
            "exec-domain": node.execution_id.domain,
            "execution-name": node.execution_id.name,
            "exec-node": node.node_id,
            "exec-attempt": str(source.retry_attempt),
        }
    )


def _source(key: CacheKey, dataset: idl.Metadata, artifact: idl.Metadata) -> TaskExecutionIdentifier:
    """Return what has computed a result; what an old catalog does not say is ``unknown`` (upstream's rule)."""
    said, attempt = artifact.key_map, artifact.key_map.get("exec-attempt", "0")
    task = Identifier()
    task.CopyFrom(key.task)
    task.version = dataset.key_map.get("task-version", "unknown")
    execution = WorkflowExecutionIdentifier(
        project=said.get("exec-project", key.task.project),
        domain=said.get("exec-domain", key.task.domain),
        name=said.get("execution-name", "unknown"),
    )
    node = NodeExecutionIdentifier(node_id=said.get("exec-node", "unknown"), execution_id=execution)
    return TaskExecutionIdentifier(
        task_id=task, node_execution_id=node, retry_attempt=int(attempt) if attempt.isdigit() else 0
    )


def grpc_calls(channel: grpc.aio.Channel) -> Call:
    """Return what makes the RPCs over a channel, which stays its owner's to close."""
    stub = DataCatalogStub(channel)

    async def call(name: str, request: Any) -> Any:
        try:
            return await getattr(stub, name)(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _translated(error, name) from error

    return call


def _translated(error: grpc.aio.AioRpcError, name: str) -> FlyteError:
    text = f"{name} of the data catalog: {error.code().name}: {error.details()}"
    match error.code():
        case grpc.StatusCode.NOT_FOUND:
            return NotFound(text)
        case grpc.StatusCode.ALREADY_EXISTS:
            return AlreadyExists(text)
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.DEADLINE_EXCEEDED | grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Unavailable(text)
        case _:
            return FlyteError(text)
