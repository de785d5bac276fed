"""The literals of artifacts, in the object store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

from flyteidl.core.literals_pb2 import Literal
from flyteidl.datacatalog.datacatalog_pb2 import ArtifactData, DatasetID
from google.protobuf.message import DecodeError

from flyte_core import paths
from flyte_core.errors import FlyteError
from flyte_core.storage import BlobStore

DATA = "data.pb"


class DamagedData(FlyteError):
    """What lies at an artifact's location is not a literal."""


@dataclass(frozen=True, slots=True)
class Located:
    """One literal of an artifact, and where it lies."""

    name: str
    location: str


class ArtifactBlobs:
    """Writes and reads the literals of artifacts.

    Each writing of an artifact gets a folder of its own, so that who reads the earlier one is not given half of each.

    :param prefix: URI of the folder of all of them
    """

    def __init__(self, store: BlobStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    async def write(self, dataset: DatasetID, artifact_id: str, data: Sequence[ArtifactData]) -> list[Located]:
        """Write the literals, and return where they lie, in their order."""
        parts = (dataset.project, dataset.domain, dataset.name, dataset.version, artifact_id, uuid4().hex[:12])
        folder = paths.join(self._prefix, *(quote(part, safe="") for part in parts))
        located = [Located(entry.name, paths.join(folder, quote(entry.name, safe=""), DATA)) for entry in data]
        writes = (
            self._store.write(place.location, entry.value.SerializeToString(deterministic=True))
            for place, entry in zip(located, data, strict=True)
        )
        await asyncio.gather(*writes)
        return located

    async def read(self, located: Sequence[Located]) -> list[ArtifactData]:
        """Return the literals.

        :raises NotFound: if one of them is no longer there
        :raises DamagedData: if one of them is something else
        """
        return list(await asyncio.gather(*(self._read(place) for place in located)))

    async def _read(self, place: Located) -> ArtifactData:
        data = await self._store.read(place.location)
        try:
            return ArtifactData(name=place.name, value=Literal.FromString(data))
        except DecodeError as error:
            raise DamagedData(f"Unable to read artifact data from location {place.location}: {error}") from error

    async def delete(self, located: Sequence[Located]) -> None:
        """Delete literals that no artifact refers to any more."""
        await asyncio.gather(*(self._store.delete(place.location) for place in located))
