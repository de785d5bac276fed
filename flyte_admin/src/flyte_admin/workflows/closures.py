"""Compiled workflows in the object store. What is registered never changes, so what was read once is kept."""

from __future__ import annotations

from collections import OrderedDict
from urllib.parse import quote

from flyteidl.admin.workflow_pb2 import WorkflowClosure
from flyteidl.core.identifier_pb2 import Identifier
from google.protobuf.message import DecodeError

from flyte_core.errors import NotFound, Unavailable
from flyte_core.paths import admin_closure, join
from flyte_core.storage import BlobStore

KEPT_BYTES = 64 * 1024 * 1024
"""Closures that are kept in memory, by their size in the store."""


class ClosureStore:
    """Writes and reads ``flyteidl.admin.WorkflowClosure`` objects.

    :param metadata_prefix: URI of the control plane's entities (upstream's default ends in ``metadata/admin``)
    """

    def __init__(self, store: BlobStore, metadata_prefix: str, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._store = store
        self._prefix = metadata_prefix
        self._kept: OrderedDict[str, tuple[WorkflowClosure, int]] = OrderedDict()
        self._free = kept_bytes

    async def write(self, workflow: Identifier, digest: bytes, closure: WorkflowClosure) -> str:
        """Store a closure and return its URI.

        The digest is part of the key: of two different workflows that are registered under one name at the same
        moment, the one that loses must not overwrite the other's closure.
        """
        parts = {part: quote(getattr(workflow, part), safe="") for part in ("project", "domain", "name", "version")}
        uri = join(admin_closure(self._prefix, Identifier(**parts)), digest.hex()[:16])
        await self._store.write(uri, closure.SerializeToString())
        return uri

    async def read(self, uri: str) -> WorkflowClosure:
        """Return the closure; it is shared and must not be changed.

        :raises Unavailable: if the store does not answer, or no longer has what was written
        """
        kept = self._kept.get(uri)
        if kept is not None:
            self._kept.move_to_end(uri)
            return kept[0]
        try:
            data = await self._store.read(uri)
            closure = WorkflowClosure.FromString(data)
        except NotFound as error:
            raise Unavailable(f"the workflow's closure {uri} is no longer in the object store") from error
        except DecodeError as error:
            raise Unavailable(f"the workflow's closure {uri} is damaged in the object store") from error
        self._keep(uri, closure, len(data))
        return closure

    def _keep(self, uri: str, closure: WorkflowClosure, size: int) -> None:
        if uri in self._kept:  # read twice at the same moment
            return
        self._kept[uri] = (closure, size)
        self._free -= size
        while self._free < 0 and self._kept:
            _, (_, freed) = self._kept.popitem(last=False)
            self._free += freed
