"""The data catalog over gRPC: what upstream's data plane asks of it, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from flyteidl.core.literals_pb2 import Literal, Primitive, Scalar
from flyteidl.datacatalog import datacatalog_pb2 as idl
from flyteidl.datacatalog.datacatalog_pb2_grpc import DataCatalogStub

Code = grpc.StatusCode
DATASET = idl.DatasetID(project="p", domain="d", name="flyte_task-t", version="1/0-abc-def")


def integer(value: int) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(integer=value)))


def artifact(identifier: str = "one", partitions: dict[str, str] | None = None, **values: int) -> idl.Artifact:
    data = [idl.ArtifactData(name=name, value=integer(value)) for name, value in (values or {"o0": 1}).items()]
    found = idl.Artifact(id=identifier, dataset=DATASET, data=data)
    found.metadata.key_map["exec-node"] = "n0"
    for key, value in (partitions or {}).items():
        found.partitions.add(key=key, value=value)
    return found


def values(found: idl.Artifact) -> dict[str, int]:
    return {entry.name: entry.value.scalar.primitive.integer for entry in found.data}


async def failure(call: Any) -> tuple[Code, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details()


@pytest.fixture
async def catalog(admin: Any) -> DataCatalogStub:
    stub = DataCatalogStub(admin.channel)
    dataset = idl.Dataset(id=DATASET, metadata={"key_map": {"task-version": "v1"}})
    await stub.CreateDataset(idl.CreateDatasetRequest(dataset=dataset))
    return stub


async def put(catalog: DataCatalogStub, made: idl.Artifact, tag: str) -> None:
    await catalog.CreateArtifact(idl.CreateArtifactRequest(artifact=made))
    await catalog.AddTag(idl.AddTagRequest(tag=idl.Tag(name=tag, artifact_id=made.id, dataset=DATASET)))


async def get(catalog: DataCatalogStub, **handle: str) -> idl.Artifact:
    return (await catalog.GetArtifact(idl.GetArtifactRequest(dataset=DATASET, **handle))).artifact


async def test_a_dataset_is_kept_once(catalog: DataCatalogStub) -> None:
    found = (await catalog.GetDataset(idl.GetDatasetRequest(dataset=DATASET))).dataset
    assert (found.id.version, found.metadata.key_map["task-version"]) == ("1/0-abc-def", "v1")
    assert found.id.UUID
    again = await failure(catalog.CreateDataset(idl.CreateDatasetRequest(dataset=idl.Dataset(id=DATASET))))
    assert again[0] is Code.ALREADY_EXISTS
    other = idl.DatasetID(project="p", domain="d", name="flyte_task-u", version="1")
    assert (await failure(catalog.GetDataset(idl.GetDatasetRequest(dataset=other))))[0] is Code.NOT_FOUND


async def test_an_artifact_is_found_by_its_tag_and_by_its_id(catalog: DataCatalogStub) -> None:
    await put(catalog, artifact(o0=1, o1=2), "flyte_cached-x")
    for found in (await get(catalog, tag_name="flyte_cached-x"), await get(catalog, artifact_id="one")):
        assert values(found) == {"o0": 1, "o1": 2}
        assert found.metadata.key_map["exec-node"] == "n0"
        assert [(tag.name, tag.artifact_id) for tag in found.tags] == [("flyte_cached-x", "one")]
        assert found.created_at.seconds > 0
    assert (await failure(get(catalog, tag_name="flyte_cached-y")))[0] is Code.NOT_FOUND


async def test_what_is_there_already_is_not_stored_again(catalog: DataCatalogStub) -> None:
    await put(catalog, artifact(), "x")
    same = idl.CreateArtifactRequest(artifact=artifact(o0=7))
    assert (await failure(catalog.CreateArtifact(same)))[0] is Code.ALREADY_EXISTS
    await catalog.CreateArtifact(idl.CreateArtifactRequest(artifact=artifact("two", o0=2)))
    tag = idl.AddTagRequest(tag=idl.Tag(name="x", artifact_id="two", dataset=DATASET))
    assert (await failure(catalog.AddTag(tag)))[0] is Code.ALREADY_EXISTS
    assert values(await get(catalog, tag_name="x")) == {"o0": 1}


async def test_an_update_replaces_data_and_metadata(admin: Any, catalog: DataCatalogStub) -> None:
    await put(catalog, artifact(o0=1, o1=2), "x")
    request = idl.UpdateArtifactRequest(dataset=DATASET, tag_name="x", metadata={"key_map": {"exec-node": "n7"}})
    request.data.add(name="o0", value=integer(9))
    assert (await catalog.UpdateArtifact(request)).artifact_id == "one"
    found = await get(catalog, tag_name="x")
    assert (values(found), found.metadata.key_map["exec-node"]) == ({"o0": 9}, "n7")
    left = [blob.uri async for blob in admin.store.list("mem://flyte/metadata/datacatalog/")]
    assert len(left) == 1, "the old data is deleted"
    request.tag_name = "nobody"
    assert (await failure(catalog.UpdateArtifact(request)))[0] is Code.NOT_FOUND


async def test_an_artifact_whose_data_is_gone_is_a_miss_and_can_be_stored_anew(
    admin: Any, catalog: DataCatalogStub
) -> None:
    await put(catalog, artifact(), "x")
    for blob in [blob async for blob in admin.store.list("mem://flyte/metadata/datacatalog/")]:
        await admin.store.delete(blob.uri)
    assert (await failure(get(catalog, tag_name="x")))[0] is Code.NOT_FOUND
    await put(catalog, artifact(o0=5), "x")
    assert values(await get(catalog, tag_name="x")) == {"o0": 5}


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (idl.Artifact(dataset=DATASET, id="one"), "missing artifactData"),
        (idl.Artifact(dataset=DATASET, data=[idl.ArtifactData(name="o0")]), "missing artifactID"),
        (idl.Artifact(id="one"), "missing project"),
        (artifact(partitions={"day": "1"}), "Partition key mismatch"),
        (artifact(".."), "invalid value for artifactID"),
    ],
    ids=["no-data", "no-id", "no-dataset", "partitions", "dots"],
)
async def test_an_artifact_without_what_it_needs_is_refused(
    catalog: DataCatalogStub, made: idl.Artifact, text: str
) -> None:
    code, details = await failure(catalog.CreateArtifact(idl.CreateArtifactRequest(artifact=made)))
    assert code is Code.INVALID_ARGUMENT
    assert text in details


async def test_an_artifact_of_an_unknown_dataset_is_refused(catalog: DataCatalogStub) -> None:
    made = artifact()
    made.dataset.version = "other"
    assert (await failure(catalog.CreateArtifact(idl.CreateArtifactRequest(artifact=made))))[0] is Code.NOT_FOUND
    tag = idl.AddTagRequest(tag=idl.Tag(name="x", artifact_id="nobody", dataset=DATASET))
    assert (await failure(catalog.AddTag(tag)))[0] is Code.NOT_FOUND


async def test_artifacts_are_listed_in_pages_newest_first(catalog: DataCatalogStub) -> None:
    for number in range(5):
        await put(catalog, artifact(f"a{number}", o0=number), f"t{number}")
    request = idl.ListArtifactsRequest(dataset=DATASET, pagination=idl.PaginationOptions(limit=2))
    first = await catalog.ListArtifacts(request)
    assert ([found.id for found in first.artifacts], first.next_token) == (["a4", "a3"], "2")
    request.pagination.token = first.next_token
    request.pagination.sortOrder = idl.PaginationOptions.ASCENDING
    assert [found.id for found in (await catalog.ListArtifacts(request)).artifacts] == ["a2", "a3"]
    request.pagination.token = "x"
    assert (await failure(catalog.ListArtifacts(request)))[0] is Code.INVALID_ARGUMENT


async def test_listings_are_filtered_by_what_they_show(catalog: DataCatalogStub) -> None:
    parted = idl.DatasetID(project="p", domain="d", name="parted", version="1")
    await catalog.CreateDataset(idl.CreateDatasetRequest(dataset=idl.Dataset(id=parted, partitionKeys=["day", "hour"])))
    for day in "12":
        made = artifact(f"day{day}", {"day": day, "hour": "0"})
        made.dataset.CopyFrom(parted)
        await catalog.CreateArtifact(idl.CreateArtifactRequest(artifact=made))

    async def listed(about: idl.SinglePropertyFilter) -> list[str]:
        request = idl.ListArtifactsRequest(dataset=parted, filter=idl.FilterExpression(filters=[about]))
        return [found.id for found in (await catalog.ListArtifacts(request)).artifacts]

    day = idl.SinglePropertyFilter(partition_filter={"key_val": {"key": "day", "value": "2"}})
    assert await listed(day) == ["day2"]
    assert await listed(idl.SinglePropertyFilter(artifact_filter={"artifact_id": "day1"})) == ["day1"]
    assert await listed(idl.SinglePropertyFilter(tag_filter={"tag_name": "x"})) == []
    named = idl.SinglePropertyFilter(dataset_filter={"name": "parted"})
    code, details = await failure(listed(named))
    assert (code, details) == (Code.INVALID_ARGUMENT, "Artifact cannot be filtered by Dataset properties")
    request = idl.ListDatasetsRequest(filter=idl.FilterExpression(filters=[named]))
    assert [found.id.name for found in (await catalog.ListDatasets(request)).datasets] == ["parted"]
    code, _ = await failure(catalog.ListDatasets(idl.ListDatasetsRequest(filter={"filters": [day]})))
    assert code is Code.INVALID_ARGUMENT


def reserve(owner: str, heartbeat: float = 10) -> idl.GetOrExtendReservationRequest:
    request = idl.GetOrExtendReservationRequest(reservation_id=idl.ReservationID(dataset_id=DATASET, tag_name="x"))
    request.owner_id = owner
    request.heartbeat_interval.FromTimedelta(timedelta(seconds=heartbeat))
    return request


async def holder(catalog: DataCatalogStub, owner: str, heartbeat: float = 10) -> str:
    return (await catalog.GetOrExtendReservation(reserve(owner, heartbeat))).reservation.owner_id


async def test_of_many_who_reserve_at_once_one_gets_it(catalog: DataCatalogStub) -> None:
    holders = await asyncio.gather(*(holder(catalog, f"owner-{number}") for number in range(20)))
    assert len(set(holders)) == 1


async def test_a_reservation_is_its_owners_until_released(catalog: DataCatalogStub) -> None:
    first = (await catalog.GetOrExtendReservation(reserve("a", 3600))).reservation
    assert first.heartbeat_interval.ToTimedelta() == timedelta(seconds=10), "no longer than the server takes"
    assert await holder(catalog, "b") == "a"
    extended = (await catalog.GetOrExtendReservation(reserve("a"))).reservation
    assert extended.expires_at.ToDatetime() > first.expires_at.ToDatetime()
    release = idl.ReleaseReservationRequest(reservation_id=first.reservation_id, owner_id="b")
    await catalog.ReleaseReservation(release)
    assert await holder(catalog, "b") == "a", "nobody can release what is another's"
    release.owner_id = "a"
    await catalog.ReleaseReservation(release)
    await catalog.ReleaseReservation(release)
    assert await holder(catalog, "b") == "b"


async def test_a_reservation_without_heartbeats_expires(catalog: DataCatalogStub) -> None:
    assert await holder(catalog, "a", 0.1) == "a"
    assert await holder(catalog, "b", 0.1) == "a"
    await asyncio.sleep(0.35)
    assert await holder(catalog, "b", 0.1) == "b"


async def test_a_reservation_needs_an_owner(catalog: DataCatalogStub) -> None:
    assert await failure(catalog.GetOrExtendReservation(reserve(""))) == (Code.INVALID_ARGUMENT, "missing ownerID")
