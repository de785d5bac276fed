"""Tables of the data catalog: what tasks gave for which inputs, and who is working on what is not there yet."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table
from sqlalchemy import UniqueConstraint as Unique

from flyte_admin.db.columns import UtcTime, metadata, row_columns

DATASET = ("project", "domain", "name", "version")
_LONG = 1024
"""Characters of a name: the catalog's are longer than those of the entities that they are made from."""

datasets = Table(
    "datasets",
    metadata,
    *row_columns(),
    Column("uuid", String(36), nullable=False),
    Column("project", String(255), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("name", String(_LONG), nullable=False),
    Column("version", String(_LONG), nullable=False),
    Column("dataset", LargeBinary, nullable=False),  # a datacatalog.Dataset: its metadata and partition keys
    Unique(*DATASET),
    Index("ix_datasets_recent", "created_at"),
)

artifacts = Table(
    "artifacts",
    metadata,
    *row_columns(),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("artifact_id", String(255), nullable=False, index=True),
    Column("metadata", LargeBinary, nullable=False),  # a datacatalog.Metadata
    Unique("dataset_id", "artifact_id"),
)

artifact_data = Table(
    "artifact_data",
    metadata,
    *row_columns(),
    Column("artifact", ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("position", Integer, nullable=False),
    Column("location", String(4096), nullable=False),
    Unique("artifact", "name"),
)

artifact_partitions = Table(
    "artifact_partitions",
    metadata,
    *row_columns(),
    Column("artifact", ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False),
    Column("key", String(255), nullable=False),
    Column("value", String(_LONG), nullable=False),
    Unique("artifact", "key"),
)

artifact_tags = Table(
    "artifact_tags",
    metadata,
    *row_columns(),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("tag_name", String(255), nullable=False),
    Column("artifact", ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False, index=True),
    Unique("dataset_id", "tag_name"),
)

reservations = Table(
    "reservations",
    metadata,
    *row_columns(),
    Column("project", String(255), nullable=False),  # the dataset need not exist yet
    Column("domain", String(255), nullable=False),
    Column("name", String(_LONG), nullable=False),
    Column("version", String(_LONG), nullable=False),
    Column("tag_name", String(255), nullable=False),
    Column("owner_id", String(255), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Unique(*DATASET, "tag_name"),
)
