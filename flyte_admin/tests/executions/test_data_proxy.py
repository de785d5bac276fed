"""DataProxyService over a recorded run: uploads, decks, and data by address."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.service.dataproxy_pb2 import (
    CreateDownloadLinkRequest,
    CreateDownloadLocationRequest,
    CreateUploadLocationRequest,
    GetDataRequest,
)
from google.protobuf.json_format import ParseDict

from flyte_admin.data_proxy.service import DataProxyPorts, DataProxyService, DataProxySettings
from flyte_admin.executions.project_defaults import StoredProjects
from flyte_admin.registry.admission import Domains
from flyte_core.errors import AlreadyExists, FlyteError, InvalidInput, NotFound, TooLarge

MD5 = hashlib.md5(b"data").digest()
PLACE = {"project": "golden", "domain": "development"}
NODE = "flyte://v1/golden/development/gsingle1bd8c3dc/n0"
FOLDER = "s3://flyte/metadata/propeller/golden-development-gsingle1bd8c3dc/n0/data"


@pytest.fixture
def proxy(control_plane: Any) -> DataProxyService:
    projects = StoredProjects(control_plane.database, Domains({"development": "Development"}))
    ports = DataProxyPorts(control_plane.store, projects.check, control_plane.nodes, control_plane.tasks)
    return DataProxyService(ports, DataProxySettings("s3://flyte"))


@pytest.fixture
async def run(control_plane: Any, recording: Any) -> Any:
    """The run ``single`` with its data; its node has a deck."""
    single = recording("single")
    await control_plane.executions.create(ParseDict(single.json("create-request"), ExecutionCreateRequest()))
    events = single.events()
    for event in events:
        if event.DESCRIPTOR.name == "NodeExecutionEventRequest" and event.event.id.node_id == "n0":
            event.event.deck_uri = f"{FOLDER}/0/deck.html"
    assert all(outcome.error is None for outcome in await control_plane.recorder.record(events))
    await control_plane.store.write(f"{FOLDER}/inputs.pb", literals(a=3).SerializeToString())
    await control_plane.store.write(f"{FOLDER}/0/outputs.pb", literals(o0=4, o1=5).SerializeToString())
    return control_plane


def literals(**values: int) -> LiteralMap:
    made = LiteralMap()
    for name, value in values.items():
        made.literals[name].scalar.primitive.integer = value
    return made


async def test_an_upload_has_the_same_address_each_time(proxy: DataProxyService) -> None:
    request = CreateUploadLocationRequest(
        **PLACE, filename="fast1.tar.gz", content_md5=MD5, add_content_md5_metadata=True
    )
    first, second = [await proxy.create_upload_location(request) for _ in range(2)]
    folder = base64.b32encode(MD5).decode()
    assert first.native_url == second.native_url == f"s3://flyte/golden/development/{folder}/fast1.tar.gz"
    assert {name.lower(): value for name, value in first.headers.items()} == {
        "x-amz-meta-flytecontentmd5": base64.b64encode(MD5).decode()
    }
    assert first.signed_url
    assert first.HasField("expires_at")


async def test_an_upload_without_a_name_gets_one_of_its_own(proxy: DataProxyService) -> None:
    request = CreateUploadLocationRequest(**PLACE, filename_root="folder/a")
    first, second = [(await proxy.create_upload_location(request)).native_url for _ in range(2)]
    assert first.startswith("s3://flyte/golden/development/folder/a/")
    assert first != second


MALFORMED_UPLOADS: list[tuple[dict[str, Any], str]] = [
    ({"project": ""}, "project"),
    ({"project": "unknown"}, ""),
    ({"project": "../x"}, "project"),
    ({"domain": ""}, "domain"),
    ({"domain": "unknown"}, ""),
    ({"content_md5": b""}, "content_md5"),
    ({"content_md5": b"short"}, "content_md5"),
    ({"filename": "../x"}, "filename"),
    ({"filename": "a//b"}, "filename"),
    ({"filename": "/etc/passwd"}, "filename"),
    ({"filename": "a#b"}, "filename"),
    ({"filename": "a?b"}, "filename"),
    ({"filename": "a\\b"}, "filename"),
    ({"filename": "a\0b"}, "filename"),
    ({"filename": "x" * 800}, "filename"),
    ({"filename_root": "."}, "filename_root"),
    ({"filename_root": "a/../b"}, "filename_root"),
    ({"expires_in": timedelta(0)}, "expires_in"),
    ({"expires_in": timedelta(seconds=-5)}, "expires_in"),
    ({"expires_in": timedelta(hours=1, seconds=1)}, "expires_in"),
]


async def test_a_malformed_upload_is_refused(proxy: DataProxyService) -> None:
    for changed, field in MALFORMED_UPLOADS:
        values = {**PLACE, "filename": "f", "content_md5": MD5, **changed}
        with pytest.raises(InvalidInput) as error:
            await proxy.create_upload_location(CreateUploadLocationRequest(**values))
        if field:
            assert error.value.field == field, changed


async def test_a_named_file_is_not_written_over_with_other_content(control_plane: Any, proxy: DataProxyService) -> None:
    where = {**PLACE, "filename_root": "root", "filename": "f"}
    uri = "s3://flyte/golden/development/root/f"
    same = CreateUploadLocationRequest(**where, content_md5=MD5)
    await proxy.create_upload_location(same)
    await control_plane.store.write(uri, b"data")
    await proxy.create_upload_location(same)
    for md5 in (b"", bytes(16)):
        with pytest.raises(AlreadyExists, match="root/f exists already"):
            await proxy.create_upload_location(CreateUploadLocationRequest(**where, content_md5=md5))
    digest = base64.b64encode(bytes(16)).decode()
    await control_plane.store.write(uri, b"parts", metadata={"flyteContentMD5": digest})
    await proxy.create_upload_location(CreateUploadLocationRequest(**where, content_md5=bytes(16)))


async def test_a_download_is_of_an_object_in_the_store(proxy: DataProxyService) -> None:
    found = await proxy.create_download_location(CreateDownloadLocationRequest(native_url="s3://flyte/a/b"))
    assert found.signed_url
    for url in ("", "s3://flyte", "s3://flyte/", "s3://other/a", "file:///etc/passwd", "/etc/passwd"):
        with pytest.raises(InvalidInput) as error:
            await proxy.create_download_location(CreateDownloadLocationRequest(native_url=url))
        assert error.value.field == "native_url"


async def test_a_deck_is_linked_to(run: Any, proxy: DataProxyService) -> None:
    request = CreateDownloadLinkRequest(artifact_type="ARTIFACT_TYPE_DECK", expires_in=timedelta(minutes=1))
    request.node_execution_id.node_id = "n0"
    request.node_execution_id.execution_id.project = "golden"
    request.node_execution_id.execution_id.domain = "development"
    request.node_execution_id.execution_id.name = "gsingle1bd8c3dc"
    link = await proxy.create_download_link(request)
    assert list(link.signed_url) == list(link.pre_signed_urls.signed_url)
    assert "deck.html" in link.signed_url[0]
    request.node_execution_id.node_id = "end-node"
    with pytest.raises(NotFound, match="end-node of gsingle1bd8c3dc has no deck"):
        await proxy.create_download_link(request)
    request.artifact_type = 0
    with pytest.raises(InvalidInput, match="artifact_type"):
        await proxy.create_download_link(request)
    with pytest.raises(InvalidInput, match="node_execution_id"):
        await proxy.create_download_link(CreateDownloadLinkRequest(artifact_type="ARTIFACT_TYPE_DECK"))


@pytest.mark.parametrize("attempt", ["", "/0"])
async def test_data_is_found_by_address(run: Any, proxy: DataProxyService, attempt: str) -> None:
    async def get(path: str) -> Any:
        return await proxy.get_data(GetDataRequest(flyte_url=f"{NODE}{attempt}/{path}"))

    assert (await get("i")).literal_map == literals(a=3)
    assert (await get("o")).literal_map == literals(o0=4, o1=5)
    assert (await get("o/o1")).literal.scalar.primitive.integer == 5
    assert "deck.html" in (await get("d")).pre_signed_urls.signed_url[0]
    with pytest.raises(NotFound, match="n0 has no output 'o2'"):
        await get("o/o2")


async def test_data_too_large_to_be_inline_is_linked_to(run: Any, proxy: DataProxyService) -> None:
    large = LiteralMap()
    large.literals["o0"].scalar.primitive.string_value = "x" * (3 << 20)
    await run.store.write(f"{FOLDER}/0/outputs.pb", large.SerializeToString())
    found = await proxy.get_data(GetDataRequest(flyte_url=f"{NODE}/o"))
    assert "outputs.pb" in found.pre_signed_urls.signed_url[0]
    with pytest.raises(TooLarge):
        await proxy.get_data(GetDataRequest(flyte_url=f"{NODE}/o/o0"))


NO_ADDRESSES: list[tuple[str, type[FlyteError]]] = [
    ("", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/x", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/0", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/0/0/o", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/o/a/b", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/d/a", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/o/", InvalidInput),
    ("flyte://v1/golden//gsingle1bd8c3dc/n0/o", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/-1/o", InvalidInput),
    ("flyte://v2/golden/development/gsingle1bd8c3dc/n0/o", InvalidInput),
    ("s3://flyte/golden/development/gsingle1bd8c3dc/n0/o", InvalidInput),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/none/o", NotFound),
    ("flyte://v1/golden/development/none/n0/o", NotFound),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/7/o", NotFound),
    ("flyte://v1/golden/development/gsingle1bd8c3dc/n0/7/d", NotFound),
]


async def test_an_address_of_nothing_is_refused(run: Any, proxy: DataProxyService) -> None:
    for url, kind in NO_ADDRESSES:
        with pytest.raises(FlyteError) as error:
            await proxy.get_data(GetDataRequest(flyte_url=url))
        assert type(error.value) is kind, url


async def test_every_rpc_of_the_service_has_a_method(proxy: DataProxyService) -> None:
    from flyteidl.service import dataproxy_pb2

    service = dataproxy_pb2.DESCRIPTOR.services_by_name["DataProxyService"]
    assert set(proxy.methods()) == set(service.methods_by_name)
