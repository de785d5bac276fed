"""Inputs and outputs as clients get them: inline while they are small, else as a link."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from flyteidl.admin.common_pb2 import FlyteURLs, UrlBlob
from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.message import DecodeError, Message

from flyte_core.errors import NotFound, SystemFault, TooLarge
from flyte_core.storage import BlobStore

M = TypeVar("M", bound=Message)

LARGEST_INLINE = 2 * 1024 * 1024
"""Bytes of a map of literals that an answer holds inline; upstream's bound."""


@dataclass(frozen=True, slots=True)
class Data:
    """One side (inputs or outputs) of an execution, node or task.

    :ivar full: the literals; empty where there are none yet or they are too large
    :ivar link: where to download them; empty unless they are too large
    """

    full: LiteralMap
    link: UrlBlob


@dataclass(frozen=True, slots=True)
class DataReader:
    """Reads what was stored under the URIs of rows.

    :ivar link_validity: of links to data that is too large to be inline
    """

    store: BlobStore
    largest: int = LARGEST_INLINE
    link_validity: timedelta = timedelta(minutes=10)

    async def both(self, inputs_uri: str, outputs: str | LiteralMap) -> tuple[Data, Data]:
        """Return inputs and outputs; ``outputs`` is a URI or the literals themselves."""
        if isinstance(outputs, str):
            first, second = await asyncio.gather(self.literals(inputs_uri), self.literals(outputs))
            return first, second
        return await self.literals(inputs_uri), Data(outputs, UrlBlob())

    async def literals(self, uri: str) -> Data:
        """Return the literals at ``uri``; empty for an empty URI and where nothing is written yet.

        :raises Unavailable: if the store does not answer
        :raises SystemFault: if there is something else than literals
        """
        if not uri:
            return Data(LiteralMap(), UrlBlob())
        try:
            data = await self.store.read(uri, limit=self.largest)
        except NotFound:
            return Data(LiteralMap(), UrlBlob())
        except TooLarge:
            return Data(LiteralMap(), await self._link(uri))
        return Data(_parsed(LiteralMap(), data, uri), UrlBlob())

    async def dynamic_workflow(self, reference: str) -> CompiledWorkflowClosure:
        """Return the compiled workflow of a dynamic node.

        :raises NotFound: if it is gone
        """
        return _parsed(CompiledWorkflowClosure(), await self.store.read(reference), reference)

    async def _link(self, uri: str) -> UrlBlob:
        signed, info = await asyncio.gather(
            self.store.sign_download(uri, expires=self.link_validity), self.store.stat(uri)
        )
        return UrlBlob(url=signed.url, bytes=info.size if info is not None else 0)


def _parsed(message: M, data: bytes, uri: str) -> M:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise SystemFault(f"{uri} holds no {message.DESCRIPTOR.full_name}") from error
    return message


def flyte_urls(node: NodeExecutionIdentifier, *, has_deck: bool, attempt: int | None = None) -> FlyteURLs:
    """Return the ``flyte://`` addresses of a node's data, or of one attempt of its task."""
    execution = node.execution_id
    parts = [execution.project, execution.domain, execution.name, node.node_id]
    if attempt is not None:
        parts.append(str(attempt))
    base = "flyte://v1/" + "/".join(parts)
    return FlyteURLs(inputs=f"{base}/i", outputs=f"{base}/o", deck=f"{base}/d" if has_deck else "")
