"""DataProxyService: uploads and downloads without credentials of the object store."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from flyteidl.admin.common_pb2 import UrlBlob
from flyteidl.admin.node_execution_pb2 import (
    NodeExecution,
    NodeExecutionGetDataRequest,
    NodeExecutionGetDataResponse,
    NodeExecutionGetRequest,
)
from flyteidl.admin.task_execution_pb2 import (
    TaskExecutionGetDataRequest,
    TaskExecutionGetDataResponse,
    TaskExecutionList,
    TaskExecutionListRequest,
)
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, TaskExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.service.dataproxy_pb2 import (
    ARTIFACT_TYPE_DECK,
    CreateDownloadLinkRequest,
    CreateDownloadLinkResponse,
    CreateDownloadLocationRequest,
    CreateDownloadLocationResponse,
    CreateUploadLocationRequest,
    CreateUploadLocationResponse,
    GetDataRequest,
    GetDataResponse,
    PreSignedURLs,
)

from flyte_admin.data_proxy.addresses import DECK, INPUTS, DataAddress
from flyte_admin.data_proxy.locations import upload_uri, validity
from flyte_core.errors import AlreadyExists, InvalidInput, NotFound, TooLarge
from flyte_core.storage import BlobInfo, BlobStore, SignedUrl

CONTENT_MD5 = "flyteContentMD5"
"""User metadata in which upstream keeps the MD5 of an upload, in base 64."""
_ATTEMPTS_PAGE = 100


class NodeReader(Protocol):
    """Node executions; :class:`flyte_admin.executions.node_service.NodeExecutionService` is one."""

    async def get(self, request: NodeExecutionGetRequest) -> NodeExecution:
        """Return a node execution."""
        ...

    async def get_data(self, request: NodeExecutionGetDataRequest) -> NodeExecutionGetDataResponse:
        """Return inputs and outputs of a node execution."""
        ...


class TaskReader(Protocol):
    """Task executions; :class:`flyte_admin.executions.task_service.TaskExecutionService` is one."""

    async def list(self, request: TaskExecutionListRequest) -> TaskExecutionList:
        """Return a page of the attempts of a node."""
        ...

    async def get_data(self, request: TaskExecutionGetDataRequest) -> TaskExecutionGetDataResponse:
        """Return inputs and outputs of an attempt."""
        ...


@dataclass(frozen=True, slots=True)
class DataProxyPorts:
    """What the data proxy works with.

    :ivar check_project: raises InvalidInput or NotFound unless project and domain exist
    """

    store: BlobStore
    check_project: Callable[[str, str], Awaitable[object]]
    nodes: NodeReader
    tasks: TaskReader


@dataclass(frozen=True, slots=True)
class DataProxySettings:
    """What can be set.

    :ivar upload_prefix: URI below which uploads lie (upstream: the container, and ``dataproxy.upload.storagePrefix``)
    :ivar longest_upload: validity of a signed upload at most, and where none is asked for
    :ivar longest_download: the same of a signed download
    """

    upload_prefix: str
    longest_upload: timedelta = timedelta(hours=1)
    longest_download: timedelta = timedelta(hours=1)


class DataProxyService:
    """Answers the RPCs of ``flyteidl.service.DataProxyService``."""

    def __init__(self, ports: DataProxyPorts, settings: DataProxySettings) -> None:
        self._ports = ports
        self._settings = settings

    def methods(self) -> Mapping[str, Callable[[Any], Awaitable[Any]]]:
        """Return the RPCs by name."""
        return {
            "CreateUploadLocation": self.create_upload_location,
            "CreateDownloadLocation": self.create_download_location,
            "CreateDownloadLink": self.create_download_link,
            "GetData": self.get_data,
        }

    async def create_upload_location(self, request: CreateUploadLocationRequest) -> CreateUploadLocationResponse:
        """Return a URL for one PUT, bound to the MD5 where one is given.

        :raises InvalidInput: if the request is malformed, or the project or domain unknown
        :raises AlreadyExists: if the file, named by folder and name, exists with other or unknown content
        """
        uri = upload_uri(self._settings.upload_prefix, request)
        expires = validity(
            request.expires_in if request.HasField("expires_in") else None, self._settings.longest_upload
        )
        await self._ports.check_project(request.project, request.domain)
        if request.filename_root and request.filename:
            await self._check_overwrite(uri, request.content_md5)
        add_metadata = request.add_content_md5_metadata and request.content_md5
        signed = await self._ports.store.sign_upload(
            uri,
            expires=expires,
            content_md5=request.content_md5,
            metadata={CONTENT_MD5: base64.b64encode(request.content_md5).decode()} if add_metadata else None,
        )
        response = CreateUploadLocationResponse(signed_url=signed.url, native_url=uri, headers=signed.headers)
        response.expires_at.FromDatetime(signed.expires_at)
        return response

    async def _check_overwrite(self, uri: str, content_md5: bytes) -> None:
        found = await self._ports.store.stat(uri)
        if found is None:
            return
        if not content_md5:
            raise AlreadyExists(f"{uri} exists already; give its content_md5 to write the same content again")
        if _stored_md5(found) != content_md5:
            raise AlreadyExists(f"{uri} exists already with other content; choose another filename or filename_root")

    async def create_download_location(self, request: CreateDownloadLocationRequest) -> CreateDownloadLocationResponse:
        """Return a URL for reading an object; clients use :meth:`get_data` and :meth:`create_download_link` today.

        :raises InvalidInput: if the address is none of an object in the configured store
        """
        expires = self._download_validity(request)
        key = request.native_url.partition("://")[2].partition("/")[2]
        if not key.strip("/") or not self._ports.store.owns(request.native_url):
            raise InvalidInput(
                f"invalid value for native_url: {request.native_url[:256]!r} names no object of this store",
                field="native_url",
            )
        signed = await self._ports.store.sign_download(request.native_url, expires=expires)
        response = CreateDownloadLocationResponse(signed_url=signed.url)
        response.expires_at.FromDatetime(signed.expires_at)
        return response

    async def create_download_link(self, request: CreateDownloadLinkRequest) -> CreateDownloadLinkResponse:
        """Return a URL for reading the deck of a node.

        :raises InvalidInput: if something else than a deck, or no node, is asked for
        :raises NotFound: if there is no such node, or it has no deck
        """
        if request.artifact_type != ARTIFACT_TYPE_DECK:
            raise InvalidInput("invalid value for artifact_type: only DECK can be linked to", field="artifact_type")
        if request.WhichOneof("source") != "node_execution_id":
            raise InvalidInput("missing node_execution_id", field="node_execution_id")
        signed = await self._deck(request.node_execution_id, self._download_validity(request))
        urls = _urls(signed)
        return CreateDownloadLinkResponse(signed_url=urls.signed_url, expires_at=urls.expires_at, pre_signed_urls=urls)

    async def get_data(self, request: GetDataRequest) -> GetDataResponse:
        """Return what a ``flyte://`` address names: all inputs or outputs, one of them, or a URL of the deck. Literals
        that are too large to be inline are answered by a URL too.

        :raises InvalidInput: if the address is malformed
        :raises NotFound: if there is no such node, attempt, variable or deck
        :raises TooLarge: if one variable of too large literals is asked for
        """
        address = DataAddress.parse(request.flyte_url)
        if address.kind == DECK:
            if address.attempt is not None:
                await self._attempt(address)
            signed = await self._deck(address.node, self._settings.longest_download)
            return GetDataResponse(pre_signed_urls=_urls(signed))
        data = await self._data(address)
        is_input = address.kind == INPUTS
        link, literals = (data.inputs, data.full_inputs) if is_input else (data.outputs, data.full_outputs)
        return _answer(address, link, literals)

    async def _data(self, address: DataAddress) -> NodeExecutionGetDataResponse | TaskExecutionGetDataResponse:
        if address.attempt is None:
            return await self._ports.nodes.get_data(NodeExecutionGetDataRequest(id=address.node))
        return await self._ports.tasks.get_data(TaskExecutionGetDataRequest(id=await self._attempt(address)))

    async def _attempt(self, address: DataAddress) -> TaskExecutionIdentifier:
        """Return the id of an attempt, which holds the task's id, which the address does not."""
        request = TaskExecutionListRequest(node_execution_id=address.node, limit=_ATTEMPTS_PAGE)
        while True:
            page = await self._ports.tasks.list(request)
            for execution in page.task_executions:
                if execution.id.retry_attempt == address.attempt:
                    return execution.id
            if not page.token:
                node = address.node
                raise NotFound(f"node {node.node_id} of {node.execution_id.name} has no attempt {address.attempt}")
            request.token = page.token

    async def _deck(self, node: NodeExecutionIdentifier, expires: timedelta) -> SignedUrl:
        execution = await self._ports.nodes.get(NodeExecutionGetRequest(id=node))
        if not execution.closure.deck_uri:
            raise NotFound(f"node {node.node_id} of {node.execution_id.name} has no deck")
        return await self._ports.store.sign_download(execution.closure.deck_uri, expires=expires)

    def _download_validity(self, request: CreateDownloadLocationRequest | CreateDownloadLinkRequest) -> timedelta:
        given = request.expires_in if request.HasField("expires_in") else None
        return validity(given, self._settings.longest_download)


def _answer(address: DataAddress, link: UrlBlob, literals: LiteralMap) -> GetDataResponse:
    if not address.variable:
        if link.url:
            return GetDataResponse(pre_signed_urls=PreSignedURLs(signed_url=[link.url]))
        return GetDataResponse(literal_map=literals)
    if link.url:
        raise TooLarge(
            f"the literals of node {address.node.node_id} have {link.bytes} bytes, too many to pick one; "
            "ask for all of them, which gives a link"
        )
    if address.variable not in literals.literals:
        kind = "input" if address.kind == INPUTS else "output"
        raise NotFound(f"node {address.node.node_id} has no {kind} {address.variable[:256]!r}")
    return GetDataResponse(literal=literals.literals[address.variable])


def _stored_md5(found: BlobInfo) -> bytes | None:
    if text := found.metadata.get(CONTENT_MD5.lower()):
        return base64.b64decode(text)
    try:
        return bytes.fromhex(found.etag)
    except ValueError:
        return None  # the entity tag of this object is no digest


def _urls(signed: SignedUrl) -> PreSignedURLs:
    urls = PreSignedURLs(signed_url=[signed.url])
    urls.expires_at.FromDatetime(signed.expires_at)
    return urls
