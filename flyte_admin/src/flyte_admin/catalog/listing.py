"""Listings of the catalog: filters by equality, sorted by time of creation, pages by offset (upstream's rules)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flyteidl.datacatalog.datacatalog_pb2 import PaginationOptions, SinglePropertyFilter
from sqlalchemy import Column, ColumnElement, Select, exists, select

from flyte_admin.catalog.checks import offset_of
from flyte_admin.db.catalog_tables import artifact_partitions, artifact_tags, artifacts, datasets
from flyte_core.errors import InvalidInput

PAGE = 50
"""Entries of a page where the request names no number."""
LARGEST_PAGE = 1000

ARTIFACT_FILTERS = frozenset({"tag_filter", "partition_filter", "artifact_filter"})
DATASET_FILTERS = frozenset({"dataset_filter"})


def filtered(query: Select[Any], filters: Iterable[SinglePropertyFilter]) -> Select[Any]:
    """Return the query with every filter as a further condition.

    :raises InvalidInput: if a filter has no value
    """
    for entry in filters:
        kind = entry.WhichOneof("property_filter") or ""
        query = query.where(_CONDITIONS[kind](entry))
    return query


def _by_tag(entry: SinglePropertyFilter) -> ColumnElement[bool]:
    name = _given(entry.tag_filter.tag_name, "TagName")
    return exists(
        select(artifact_tags.c.id).where(artifact_tags.c.artifact == artifacts.c.id, artifact_tags.c.tag_name == name)
    )


def _by_partition(entry: SinglePropertyFilter) -> ColumnElement[bool]:
    pair = entry.partition_filter.key_val
    key, value = _given(pair.key, "PartitionKey"), _given(pair.value, "PartitionValue")
    table = artifact_partitions
    return exists(
        select(table.c.id).where(table.c.artifact == artifacts.c.id, table.c.key == key, table.c.value == value)
    )


def _by_artifact(entry: SinglePropertyFilter) -> ColumnElement[bool]:
    return artifacts.c.artifact_id == _given(entry.artifact_filter.artifact_id, "ArtifactID")


def _by_dataset(entry: SinglePropertyFilter) -> ColumnElement[bool]:
    part = entry.dataset_filter.WhichOneof("property") or ""
    if part not in ("project", "domain", "name", "version"):
        raise InvalidInput(f"Dataset cannot be filtered by {part or 'nothing'}", field="filter")
    column: Column[str] = datasets.c[part]
    return column == _given(getattr(entry.dataset_filter, part), part)


_CONDITIONS: Mapping[str, Callable[[SinglePropertyFilter], ColumnElement[bool]]] = {
    "tag_filter": _by_tag,
    "partition_filter": _by_partition,
    "artifact_filter": _by_artifact,
    "dataset_filter": _by_dataset,
}


def _given(value: str, name: str) -> str:
    if not value:
        raise InvalidInput(f"missing {name}", field="filter")
    return value


def paged(query: Select[Any], created_at: Column[Any], row_id: Column[Any], page: PaginationOptions) -> Select[Any]:
    """Return the query for one page; without options the newest come first."""
    ascending = page.ByteSize() > 0 and page.sortOrder == PaginationOptions.ASCENDING
    keys = (created_at.asc(), row_id.asc()) if ascending else (created_at.desc(), row_id.desc())
    return query.order_by(*keys).offset(offset_of(page)).limit(min(page.limit or PAGE, LARGEST_PAGE))


def next_token(page: PaginationOptions, shown: int) -> str:
    """Return the token of the next page. As upstream there is always one, also behind the last entry."""
    return str(offset_of(page) + shown)
