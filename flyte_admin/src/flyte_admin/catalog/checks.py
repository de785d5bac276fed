"""What a request to the catalog must have. The messages are upstream's: its data plane shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from flyteidl.datacatalog.datacatalog_pb2 import (
    Artifact,
    ArtifactData,
    DatasetID,
    PaginationOptions,
    Partition,
    SinglePropertyFilter,
    Tag,
)

from flyte_admin.db.catalog_tables import DATASET
from flyte_core.errors import InvalidInput

LONGEST = {"project": 255, "domain": 255, "name": 1024, "version": 1024}
LONGEST_ID = 255
"""Characters of an artifact's id, of a tag and of a name within an artifact."""


def check_dataset_id(dataset: DatasetID) -> None:
    """Check that every part is there and fits its column."""
    for part in DATASET:
        _check_text(getattr(dataset, part), part, LONGEST[part])


def check_partition_keys(keys: Sequence[str]) -> None:
    """Check that no key is there twice."""
    twice = sorted(key for key, count in Counter(keys).items() if count > 1)
    if twice:
        raise InvalidInput(f"invalid value for partitionKey, value:[Keys are not unique: {', '.join(twice)}]")


def check_artifact(artifact: Artifact) -> None:
    """Check an artifact that is to be created."""
    check_dataset_id(artifact.dataset)
    _check_text(artifact.id, "artifactID", LONGEST_ID)
    check_data(artifact.data)


def check_data(data: Sequence[ArtifactData]) -> None:
    """Check that there is something, each with a name of its own."""
    if not data:
        raise InvalidInput("missing artifactData", field="data")
    names = [entry.name for entry in data]
    for name in names:
        _check_text(name, "artifactData.name", LONGEST_ID)
    if len(set(names)) != len(names):
        raise InvalidInput("invalid value for artifactData: two entries have the same name", field="data")


def check_partitions(keys: Sequence[str], partitions: Sequence[Partition]) -> None:
    """Check that an artifact has a value for each partition key of its dataset and for no other."""
    given = [partition.key for partition in partitions]
    if sorted(given) != sorted(keys):
        raise InvalidInput(f"Partition key mismatch, dataset keys: {sorted(keys)}, artifact Partitions: {given}")
    for partition in partitions:
        _check_text(partition.value, "partitionValue", LONGEST["name"])


def check_handle(dataset: DatasetID, kind: str | None, artifact_id: str, tag_name: str) -> None:
    """Check by what an artifact is looked up: its id, where the dataset may be left out, or a tag of a dataset."""
    match kind:
        case "artifact_id":
            if dataset.ByteSize():
                check_dataset_id(dataset)
            _check_text(artifact_id, "artifactID", LONGEST_ID)
        case "tag_name":
            check_dataset_id(dataset)
            _check_text(tag_name, "tagName", LONGEST_ID)
        case _:
            raise InvalidInput("missing one of artifactID/tagName")


def check_tag(tag: Tag) -> None:
    """Check a tag that is to be added."""
    check_dataset_id(tag.dataset)
    _check_text(tag.name, "tagName", LONGEST_ID)
    _check_text(tag.artifact_id, "artifactID", LONGEST_ID)


def check_owner(owner: str, tag_name: str) -> None:
    """Check who reserves what."""
    _check_text(tag_name, "tagName", LONGEST_ID)
    _check_text(owner, "ownerID", LONGEST_ID)


def offset_of(pagination: PaginationOptions) -> int:
    """Return how many entries the page leaves out.

    :raises InvalidInput: if the token is not one that a listing has given
    """
    token = pagination.token.strip()
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) <= 10):
        raise InvalidInput(f"Invalid token value: {token[:256]}", field="pagination.token")
    return int(token)


def check_filters(entity: str, filters: Iterable[SinglePropertyFilter], allowed: frozenset[str]) -> None:
    """Check that the filters are about what the listing shows."""
    for entry in filters:
        kind = entry.WhichOneof("property_filter")
        if kind not in allowed:
            about = (kind or "no").removesuffix("_filter").capitalize()
            raise InvalidInput(f"{entity} cannot be filtered by {about} properties", field="filter")


def _check_text(value: str, name: str, longest: int) -> None:
    if not value:
        raise InvalidInput(f"missing {name}", field=name)
    if len(value) > longest:
        raise InvalidInput(f"invalid value for {name}: {len(value)} characters, at most {longest} are allowed")
    if "\0" in value or value in (".", ".."):
        raise InvalidInput(f"invalid value for {name}, value:[{value[:64]!r}]", field=name)
