"""The catalog as the data plane uses it: the shipped fake, and the control plane's own over gRPC and without a wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from flyteidl.core.identifier_pb2 import TaskExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.datacatalog import datacatalog_pb2 as idl

from flyte_admin.app import AdminApp, AdminPorts
from flyte_admin.settings import AdminSettings, DatabaseSettings, ServerSettings, StorageSettings
from flyte_cli.up.in_process import catalog_calls
from flyte_core.clock import SystemClock
from flyte_core.errors import FlyteError, InvalidInput, NotFound, Unavailable
from flyte_core.testing.fakes import ManualClock, MemoryCluster, MemoryStore
from flyte_propeller.adapters import catalog_client
from flyte_propeller.adapters.catalog_client import CatalogClient, grpc_calls
from flyte_propeller.shell.catalog_keys import CacheKey, cache_key
from flyte_propeller.shell.ports import Catalog
from flyte_propeller.testing import MemoryCatalog


def integers(**values: int) -> LiteralMap:
    literals = {name: Literal(scalar=Scalar(primitive=Primitive(integer=value))) for name, value in values.items()}
    return LiteralMap(literals=literals)


def key(version: str = "1", **inputs: int) -> CacheKey:
    task = TaskTemplate(id={"resource_type": 1, "project": "p", "domain": "d", "name": "t", "version": "v1"})
    task.metadata.discovery_version = version
    task.interface.outputs.variables["o0"].type.simple = 1
    return cache_key(task, integers(**inputs))


def source(execution: str = "x", attempt: int = 0) -> TaskExecutionIdentifier:
    found = TaskExecutionIdentifier(retry_attempt=attempt)
    found.task_id.CopyFrom(key().task)
    found.node_execution_id.node_id = "n0"
    for part, value in {"project": "p", "domain": "d", "name": execution}.items():
        setattr(found.node_execution_id.execution_id, part, value)
    return found


@pytest.fixture(params=["fake", "grpc", "in-process"])
async def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalog]:
    if request.param == "fake":
        yield MemoryCatalog(SystemClock())
        return
    settings = AdminSettings(
        DatabaseSettings(f"sqlite:///{tmp_path / 'admin.db'}"),
        StorageSettings("mem://flyte"),
        ServerSettings("127.0.0.1:0", "127.0.0.1:0"),
    )
    app = await AdminApp.start(settings, AdminPorts(MemoryStore(), MemoryCluster()))
    async with grpc.aio.insecure_channel(app.grpc_address) as channel:
        call = grpc_calls(channel) if request.param == "grpc" else catalog_calls(app)
        yield CatalogClient(call, SystemClock())
    await app.stop(0)


async def test_what_is_stored_is_found_with_what_has_computed_it(catalog: Catalog) -> None:
    assert await catalog.get(key(x=1)) is None
    stored = await catalog.put(key(x=1), integers(o0=5), source(attempt=2), overwrite=False)
    found = await catalog.get(key(x=1))
    assert found is not None
    assert found.outputs == integers(o0=5)
    assert found.metadata.source_task_execution == source(attempt=2)
    assert found.metadata.artifact_tag == stored.artifact_tag
    assert found.metadata.dataset_id.name == "flyte_task-t"
    assert await catalog.get(key(x=2)) is None
    assert await catalog.get(key("2", x=1)) is None


async def test_the_first_result_stays_unless_it_is_to_be_replaced(catalog: Catalog) -> None:
    for value in (1, 2):
        await catalog.put(key(), integers(o0=value), source(f"x{value}"), overwrite=False)
    assert (await catalog.get(key())).outputs == integers(o0=1)  # type: ignore[union-attr]
    await catalog.put(key(), integers(o0=3), source("x3"), overwrite=True)
    assert (await catalog.get(key())).outputs == integers(o0=3)  # type: ignore[union-attr]


async def test_storing_may_be_repeated_and_replacing_needs_nothing_before(catalog: Catalog) -> None:
    for _ in range(2):
        await catalog.put(key(), integers(o0=1), source(), overwrite=True)
        await catalog.put(key(x=1), integers(o0=1), source(), overwrite=False)
    assert (await catalog.get(key())).outputs == integers(o0=1)  # type: ignore[union-attr]


async def test_a_reservation_is_one_owners(catalog: Catalog) -> None:
    beat = timedelta(seconds=10)
    assert await catalog.reserve(key(), "a", beat)
    assert await catalog.reserve(key(), "a", beat)
    assert not await catalog.reserve(key(), "b", beat)
    assert await catalog.reserve(key(x=1), "b", beat)
    await catalog.release(key(), "b")
    assert not await catalog.reserve(key(), "b", beat)
    await catalog.release(key(), "a")
    assert await catalog.reserve(key(), "b", beat)


class Answers:
    """A catalog whose answers are given one after the other; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self.calls: list[str] = []
        self._answers = list(answers)

    async def __call__(self, name: str, request: Any) -> Any:
        self.calls.append(name)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        return answer


async def test_a_call_without_an_answer_is_tried_again_a_few_times() -> None:
    calls = Answers(Unavailable("away"), Unavailable("away"), idl.ReleaseReservationResponse())
    await CatalogClient(calls, SystemClock()).release(key(), "a")
    assert len(calls.calls) == 3


async def test_a_catalog_that_hangs_costs_one_call_and_is_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_client, "CALL_SECONDS", 0.05)
    clock, calls = ManualClock(), Answers(asyncio.Event())
    client = CatalogClient(calls, clock)
    for _ in range(3):
        with pytest.raises(Unavailable, match="data catalog"):
            await client.get(key())
    assert len(calls.calls) == 1
    clock.advance(16)
    with pytest.raises(Unavailable):
        await client.get(key())
    assert len(calls.calls) == 2


async def test_a_refusal_is_no_outage() -> None:
    calls = Answers(FlyteError("INTERNAL"))
    client = CatalogClient(calls, SystemClock())
    for _ in range(2):
        with pytest.raises(FlyteError, match="INTERNAL"):
            await client.get(key())
    assert len(calls.calls) == 2


async def test_an_artifact_of_other_outputs_is_refused() -> None:
    artifact = idl.Artifact(id="a", data=[idl.ArtifactData(name="other")])
    calls = Answers(idl.GetDatasetResponse(), idl.GetArtifactResponse(artifact=artifact))
    with pytest.raises(InvalidInput, match=r"artifact a has the outputs \['other'\], task t has \['o0'\]"):
        await CatalogClient(calls, SystemClock()).get(key())


async def test_what_an_old_catalog_does_not_say_is_unknown() -> None:
    artifact = idl.Artifact(id="a", data=[idl.ArtifactData(name="o0")])
    calls = Answers(idl.GetDatasetResponse(), idl.GetArtifactResponse(artifact=artifact))
    found = await CatalogClient(calls, SystemClock()).get(key())
    assert found is not None
    said = found.metadata.source_task_execution
    assert (said.task_id.version, said.node_execution_id.node_id) == ("unknown", "unknown")
    assert said.node_execution_id.execution_id.project == "p"


async def test_no_server_is_unavailable() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        call = grpc_calls(channel)
        with pytest.raises(Unavailable, match="GetDataset of the data catalog: UNAVAILABLE"):
            await call("GetDataset", idl.GetDatasetRequest())


def test_the_key_is_upstreams() -> None:
    task = TaskTemplate(id={"resource_type": 1, "project": "p", "domain": "d", "name": "name", "version": "1.0.0"})
    task.metadata.discovery_version = " 1.0.0 "
    task.metadata.cache_ignore_input_vars.append("3")
    values = LiteralMap()
    for number in "123":
        values.literals[number].scalar.primitive.integer = int(number)
    found = cache_key(task, values)
    assert (found.dataset.name, found.dataset.version) == ("flyte_task-name", "1.0.0-GKw-c0Pw-GKw-c0Pw")
    assert found.tag == "flyte_cached-GQid5LjHbakcW68DS3P2jp80QLbiF0olFHF2hTh5bg8"


def test_a_hash_counts_for_its_value_however_deep_it_lies() -> None:
    def nested(value: int, digest: str) -> CacheKey:
        task = TaskTemplate()
        task.metadata.discovery_version = "1"
        literal = Literal(hash=digest, scalar=Scalar(primitive=Primitive(integer=value)))
        inner = Literal(collection={"literals": [Literal(map=LiteralMap(literals={"k": literal}))]})
        return cache_key(task, LiteralMap(literals={"x": inner}))

    assert nested(1, "same").tag == nested(2, "same").tag
    assert nested(1, "same").tag != nested(1, "other").tag
    assert nested(1, "").tag != nested(2, "").tag


def test_a_key_needs_a_version() -> None:
    with pytest.raises(InvalidInput, match="empty cache version"):
        cache_key(TaskTemplate(), LiteralMap())


async def test_nothing_is_found_where_there_is_no_dataset() -> None:
    assert await CatalogClient(Answers(NotFound("none")), SystemClock()).get(key()) is None
