"""The data catalog."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _row() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
    ]


def _dataset() -> list[sa.Column[Any]]:
    return [
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=1024), nullable=False),
        sa.Column("version", sa.String(length=1024), nullable=False),
    ]


def _of_artifact(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["artifact"], ["artifacts.id"], name=op.f(f"fk_{table}_artifact"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "datasets",
        *_row(),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        *_dataset(),
        sa.Column("dataset", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("project", "domain", "name", "version", name=op.f("uq_datasets")),
    )
    op.create_index("ix_datasets_recent", "datasets", ["created_at"], unique=False)
    op.create_table(
        "artifacts",
        *_row(),
        sa.Column("dataset_id", ROW_ID, nullable=False),
        sa.Column("artifact_id", sa.String(length=255), nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_artifacts_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
        sa.UniqueConstraint("dataset_id", "artifact_id", name=op.f("uq_artifacts")),
    )
    op.create_index(op.f("ix_artifacts_artifact_id"), "artifacts", ["artifact_id"], unique=False)
    op.create_table(
        "artifact_data",
        *_row(),
        sa.Column("artifact", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("location", sa.String(length=4096), nullable=False),
        *_of_artifact("artifact_data"),
        sa.UniqueConstraint("artifact", "name", name=op.f("uq_artifact_data")),
    )
    op.create_table(
        "artifact_partitions",
        *_row(),
        sa.Column("artifact", ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("value", sa.String(length=1024), nullable=False),
        *_of_artifact("artifact_partitions"),
        sa.UniqueConstraint("artifact", "key", name=op.f("uq_artifact_partitions")),
    )
    op.create_table(
        "artifact_tags",
        *_row(),
        sa.Column("dataset_id", ROW_ID, nullable=False),
        sa.Column("tag_name", sa.String(length=255), nullable=False),
        sa.Column("artifact", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_artifact_tags_dataset_id")),
        *_of_artifact("artifact_tags"),
        sa.UniqueConstraint("dataset_id", "tag_name", name=op.f("uq_artifact_tags")),
    )
    op.create_index(op.f("ix_artifact_tags_artifact"), "artifact_tags", ["artifact"], unique=False)
    op.create_table(
        "reservations",
        *_row(),
        *_dataset(),
        sa.Column("tag_name", sa.String(length=255), nullable=False),
        sa.Column("owner_id", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("project", "domain", "name", "version", "tag_name", name=op.f("uq_reservations")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("reservations")
    op.drop_index(op.f("ix_artifact_tags_artifact"), table_name="artifact_tags")
    op.drop_table("artifact_tags")
    op.drop_table("artifact_partitions")
    op.drop_table("artifact_data")
    op.drop_index(op.f("ix_artifacts_artifact_id"), table_name="artifacts")
    op.drop_table("artifacts")
    op.drop_index("ix_datasets_recent", table_name="datasets")
    op.drop_table("datasets")
