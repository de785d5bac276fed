"""The service ``datacatalog.DataCatalog``: datasets, artifacts and tags, as upstream's data plane uses them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from flyteidl.datacatalog.datacatalog_pb2 import (
    AddTagRequest,
    AddTagResponse,
    Artifact,
    CreateArtifactRequest,
    CreateArtifactResponse,
    CreateDatasetRequest,
    CreateDatasetResponse,
    Dataset,
    GetArtifactRequest,
    GetArtifactResponse,
    GetDatasetRequest,
    GetDatasetResponse,
    ListArtifactsRequest,
    ListArtifactsResponse,
    ListDatasetsRequest,
    ListDatasetsResponse,
    UpdateArtifactRequest,
    UpdateArtifactResponse,
)
from sqlalchemy import Connection, delete, insert, select, update

from flyte_admin.catalog import checks
from flyte_admin.catalog.blobs import ArtifactBlobs, Located
from flyte_admin.catalog.listing import ARTIFACT_FILTERS, DATASET_FILTERS, filtered, next_token, paged
from flyte_admin.catalog.reservations import Reservations
from flyte_admin.catalog.rows import (
    Found,
    dataset_message,
    dataset_row,
    find_artifact,
    insert_artifact,
    insert_data,
    load_artifacts,
    remove_artifact,
)
from flyte_admin.db.catalog_tables import DATASET, artifact_data, artifact_tags, artifacts, datasets
from flyte_admin.db.database import Database
from flyte_admin.rpc.methods import Rpc
from flyte_core.clock import Clock
from flyte_core.errors import NotFound, UserError
from flyte_core.storage import BlobStore

READS = 3
"""How often an artifact is looked up whose data is replaced while it is being read."""


class DataCatalog:
    """Answers the RPCs about datasets and artifacts.

    :param prefix: URI of the folder for the literals of artifacts
    """

    def __init__(self, database: Database, store: BlobStore, prefix: str, clock: Clock) -> None:
        self._database = database
        self._blobs = ArtifactBlobs(store, prefix)
        self._clock = clock
        self._reservations = Reservations(database, clock)

    def methods(self) -> Mapping[str, Rpc]:
        """Return what answers each RPC of the service."""
        return {
            "CreateDataset": self.create_dataset,
            "GetDataset": self.get_dataset,
            "ListDatasets": self.list_datasets,
            "CreateArtifact": self.create_artifact,
            "GetArtifact": self.get_artifact,
            "ListArtifacts": self.list_artifacts,
            "UpdateArtifact": self.update_artifact,
            "AddTag": self.add_tag,
            "GetOrExtendReservation": self._reservations.get_or_extend,
            "ReleaseReservation": self._reservations.release,
        }

    async def create_dataset(self, request: CreateDatasetRequest) -> CreateDatasetResponse:
        """Store a dataset.

        :raises AlreadyExists: if there is one of that id
        """
        dataset = request.dataset
        checks.check_dataset_id(dataset.id)
        checks.check_partition_keys(dataset.partitionKeys)
        kept = Dataset(metadata=dataset.metadata, partitionKeys=dataset.partitionKeys)
        now = self._clock.now()
        values = {
            **{part: getattr(dataset.id, part) for part in DATASET},
            "uuid": str(uuid4()),
            "dataset": kept.SerializeToString(deterministic=True),
            "created_at": now,
            "updated_at": now,
        }
        await self._database.write(lambda connection: connection.execute(insert(datasets).values(**values)) and None)
        return CreateDatasetResponse()

    async def get_dataset(self, request: GetDatasetRequest) -> GetDatasetResponse:
        """Return a dataset.

        :raises NotFound: if there is none of that id
        """
        checks.check_dataset_id(request.dataset)
        row = await self._database.read(lambda connection: dataset_row(connection, request.dataset))
        return GetDatasetResponse(dataset=dataset_message(row))

    async def list_datasets(self, request: ListDatasetsRequest) -> ListDatasetsResponse:
        """Return one page of the datasets that pass the filters."""
        page = request.pagination
        checks.check_filters("Dataset", request.filter.filters, DATASET_FILTERS)
        query = paged(filtered(select(datasets), request.filter.filters), datasets.c.created_at, datasets.c.id, page)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return ListDatasetsResponse(
            datasets=[dataset_message(row) for row in rows], next_token=next_token(page, len(rows))
        )

    async def create_artifact(self, request: CreateArtifactRequest) -> CreateArtifactResponse:
        """Store an artifact of a dataset, its data in the object store first.

        :raises NotFound: if there is no such dataset
        :raises AlreadyExists: if the dataset has one of that id
        """
        artifact = request.artifact
        checks.check_artifact(artifact)
        row = await self._database.read(lambda connection: dataset_row(connection, artifact.dataset))
        checks.check_partitions(list(dataset_message(row).partitionKeys), artifact.partitions)
        located = await self._blobs.write(artifact.dataset, artifact.id, artifact.data)
        now = self._clock.now()
        try:
            await self._database.write(lambda connection: insert_artifact(connection, artifact, row.id, located, now))
        except UserError:
            await self._blobs.delete(located)
            raise
        return CreateArtifactResponse()

    async def get_artifact(self, request: GetArtifactRequest) -> GetArtifactResponse:
        """Return an artifact with its data. One whose data is gone is removed: what was promised is not there, and
        under its tag a new one can be stored.

        :raises NotFound: if there is none of that id or with that tag
        """
        handle = (request.dataset, request.artifact_id, request.tag_name)
        checks.check_handle(request.dataset, request.WhichOneof("query_handle"), *handle[1:])
        found: Found | None = None
        for _ in range(READS):
            before = found
            found = await self._database.read(lambda connection: find_artifact(connection, *handle))
            if before is not None and before.located == found.located:
                break
            try:
                return GetArtifactResponse(artifact=await self._with_data(found))
            except NotFound:
                continue  # it was replaced in this moment, or it is gone
        assert found is not None, "an artifact was read"
        gone = found
        await self._database.write(lambda connection: remove_artifact(connection, gone))
        raise NotFound(f"the data of artifact {gone.message.id} is no longer in the object store")

    async def list_artifacts(self, request: ListArtifactsRequest) -> ListArtifactsResponse:
        """Return one page of a dataset's artifacts with their data; those whose data is gone are left out.

        :raises NotFound: if there is no such dataset
        """
        checks.check_dataset_id(request.dataset)
        checks.check_filters("Artifact", request.filter.filters, ARTIFACT_FILTERS)

        def query(connection: Connection) -> list[Found]:
            dataset = dataset_row(connection, request.dataset)
            ids = filtered(select(artifacts.c.id), request.filter.filters).where(artifacts.c.dataset_id == dataset.id)
            page = paged(ids, artifacts.c.created_at, artifacts.c.id, request.pagination)
            return load_artifacts(connection, list(connection.execute(page).scalars()))

        found = await self._database.read(query)
        shown: list[Artifact] = []
        for artifact in found:
            try:
                shown.append(await self._with_data(artifact))
            except NotFound:
                continue  # deleted from the object store behind our back
        return ListArtifactsResponse(artifacts=shown, next_token=next_token(request.pagination, len(found)))

    async def _with_data(self, found: Found) -> Artifact:
        artifact = Artifact()
        artifact.CopyFrom(found.message)
        artifact.data.extend(await self._blobs.read(found.located))
        return artifact

    async def update_artifact(self, request: UpdateArtifactRequest) -> UpdateArtifactResponse:
        """Replace the data and the metadata of an artifact; names that are not given any more are removed.

        :raises NotFound: if there is none of that id or with that tag
        """
        handle = (request.dataset, request.artifact_id, request.tag_name)
        checks.check_handle(request.dataset, request.WhichOneof("query_handle"), *handle[1:])
        checks.check_data(request.data)
        found = await self._database.read(lambda connection: find_artifact(connection, *handle))
        artifact = found.message
        located = await self._blobs.write(artifact.dataset, artifact.id, request.data)
        now = self._clock.now()
        try:
            old = await self._database.write(lambda connection: _replace_data(connection, request, located, now))
        except UserError:
            await self._blobs.delete(located)
            raise
        await self._blobs.delete(old)
        return UpdateArtifactResponse(artifact_id=artifact.id)

    async def add_tag(self, request: AddTagRequest) -> AddTagResponse:
        """Tag an artifact.

        :raises NotFound: if there is no such dataset or artifact
        :raises AlreadyExists: if an artifact of the dataset has that tag
        """
        tag = request.tag
        checks.check_tag(tag)
        now = self._clock.now()

        def store(connection: Connection) -> None:
            found = find_artifact(connection, tag.dataset, tag.artifact_id, "")
            values = {"dataset_id": found.dataset_id, "tag_name": tag.name, "artifact": found.row_id}
            connection.execute(insert(artifact_tags).values(**values, created_at=now, updated_at=now))

        await self._database.write(store)
        return AddTagResponse()


def _replace_data(
    connection: Connection, request: UpdateArtifactRequest, located: list[Located], now: datetime
) -> tuple[Located, ...]:
    """Let the artifact have this data, and return where the old data lies."""
    found = find_artifact(connection, request.dataset, request.artifact_id, request.tag_name)
    connection.execute(delete(artifact_data).where(artifact_data.c.artifact == found.row_id))
    insert_data(connection, found.row_id, located, now)
    metadata = request.metadata.SerializeToString(deterministic=True)
    connection.execute(
        update(artifacts).where(artifacts.c.id == found.row_id).values(metadata=metadata, updated_at=now)
    )
    return found.located
