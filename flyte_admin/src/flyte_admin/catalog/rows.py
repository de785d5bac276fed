"""Rows of the catalog: found, inserted, and turned into messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flyteidl.datacatalog.datacatalog_pb2 import (
    Artifact,
    Dataset,
    DatasetID,
    Metadata,
    Partition,
    Tag,
)
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, insert, select

from flyte_admin.catalog.blobs import Located
from flyte_admin.db.catalog_tables import (
    DATASET,
    artifact_data,
    artifact_partitions,
    artifact_tags,
    artifacts,
    datasets,
)
from flyte_core.errors import NotFound


def is_dataset(table: Table, dataset: DatasetID) -> ColumnElement[bool]:
    """Return the condition that a row is of that dataset."""
    return and_(*(table.c[part] == getattr(dataset, part) for part in DATASET))


def dataset_row(connection: Connection, dataset: DatasetID) -> Row[Any]:
    """Return the dataset's row.

    :raises NotFound: if there is none
    """
    row = connection.execute(select(datasets).where(is_dataset(datasets, dataset))).one_or_none()
    if row is None:
        raise NotFound(f"missing entity of type Dataset with identifier {_text(dataset)}")
    return row


def dataset_message(row: Row[Any]) -> Dataset:
    """Return the dataset with its id."""
    message = Dataset.FromString(row.dataset)
    message.id.CopyFrom(_dataset_id(row))
    return message


def _dataset_id(row: Row[Any]) -> DatasetID:
    return DatasetID(project=row.project, domain=row.domain, name=row.name, version=row.version, UUID=row.uuid)


@dataclass(frozen=True, slots=True)
class Found:
    """An artifact as it is stored.

    :ivar message: without its data
    """

    row_id: int
    dataset_id: int
    message: Artifact
    located: tuple[Located, ...]


def find_artifact(connection: Connection, dataset: DatasetID, artifact_id: str, tag_name: str) -> Found:
    """Return the artifact of that id, or with that tag where there is no id.

    :raises NotFound: if there is none
    """
    query = select(artifacts.c.id)
    if artifact_id:
        query = query.where(artifacts.c.artifact_id == artifact_id)
        if dataset.ByteSize():
            query = query.where(artifacts.c.dataset_id == dataset_row(connection, dataset).id)
        what = f"Artifact with identifier {artifact_id}"
    else:
        query = query.join(artifact_tags, artifact_tags.c.artifact == artifacts.c.id).where(
            artifact_tags.c.dataset_id == dataset_row(connection, dataset).id, artifact_tags.c.tag_name == tag_name
        )
        what = f"Tag with identifier {tag_name}"
    row = connection.execute(query.order_by(artifacts.c.id)).first()
    if row is None:
        raise NotFound(f"missing entity of type {what} in dataset {_text(dataset)}")
    return load_artifacts(connection, [row.id])[0]


def load_artifacts(connection: Connection, row_ids: Sequence[int]) -> list[Found]:
    """Return these artifacts, in this order."""
    rows = {
        row.id: row
        for row in connection.execute(
            select(artifacts, *(datasets.c[name] for name in ("uuid", *DATASET)))
            .join(datasets, datasets.c.id == artifacts.c.dataset_id)
            .where(artifacts.c.id.in_(row_ids))
        )
    }
    data = _of_artifacts(connection, artifact_data, row_ids, "position")
    partitions = _of_artifacts(connection, artifact_partitions, row_ids, "id")
    tags = _of_artifacts(connection, artifact_tags, row_ids, "id")
    return [_found(rows[key], data[key], partitions[key], tags[key]) for key in row_ids]


def _of_artifacts(
    connection: Connection, table: Table, row_ids: Sequence[int], order: str
) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {key: [] for key in row_ids}
    for row in connection.execute(select(table).where(table.c.artifact.in_(row_ids)).order_by(table.c[order])):
        found[row.artifact].append(row)
    return found


def _found(row: Row[Any], data: list[Row[Any]], partitions: list[Row[Any]], tags: list[Row[Any]]) -> Found:
    dataset = _dataset_id(row)
    message = Artifact(
        id=row.artifact_id,
        dataset=dataset,
        metadata=Metadata.FromString(row.metadata),
        partitions=[Partition(key=entry.key, value=entry.value) for entry in partitions],
        tags=[Tag(name=entry.tag_name, artifact_id=row.artifact_id, dataset=dataset) for entry in tags],
    )
    message.created_at.FromDatetime(row.created_at)
    located = tuple(Located(entry.name, entry.location) for entry in data)
    return Found(row.id, row.dataset_id, message, located)


def insert_artifact(
    connection: Connection, artifact: Artifact, dataset_id: int, located: Sequence[Located], now: datetime
) -> None:
    """Store a new artifact.

    :raises AlreadyExists: if the dataset has one of that id
    """
    times = {"created_at": now, "updated_at": now}
    values = {
        "dataset_id": dataset_id,
        "artifact_id": artifact.id,
        "metadata": artifact.metadata.SerializeToString(deterministic=True),
    }
    row_id = connection.execute(insert(artifacts).values(**values, **times).returning(artifacts.c.id)).scalar_one()
    insert_data(connection, row_id, located, now)
    for partition in artifact.partitions:
        entry = {"artifact": row_id, "key": partition.key, "value": partition.value}
        connection.execute(insert(artifact_partitions).values(**entry, **times))


def insert_data(connection: Connection, row_id: int, located: Sequence[Located], now: datetime) -> None:
    """Store where an artifact's data lies."""
    connection.execute(
        insert(artifact_data),
        [
            {
                "artifact": row_id,
                "name": place.name,
                "position": position,
                "location": place.location,
                "created_at": now,
                "updated_at": now,
            }
            for position, place in enumerate(located)
        ],
    )


def remove_artifact(connection: Connection, found: Found) -> None:
    """Remove an artifact with its tags, unless its data has been replaced since it was found."""
    current = load_artifacts(connection, [found.row_id]) if _is_there(connection, found.row_id) else []
    if current and current[0].located == found.located:
        connection.execute(delete(artifacts).where(artifacts.c.id == found.row_id))


def _is_there(connection: Connection, row_id: int) -> bool:
    return connection.execute(select(artifacts.c.id).where(artifacts.c.id == row_id)).first() is not None


def _text(dataset: DatasetID) -> str:
    return "/".join(getattr(dataset, part) for part in DATASET)
