"""Where a table's files are: copied to its place when written, copied here when read."""

from __future__ import annotations

from flyteidl.core.literals_pb2 import StructuredDataset as StructuredDatasetMessage
from flyteidl.core.literals_pb2 import StructuredDatasetMetadata
from flyteidl.core.types_pb2 import StructuredDatasetType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.types.structured.structured_dataset import StructuredDataset

PART_NAME = "00000"
"""Name of a table's one file."""


def stored(
    ctx: FlyteContext, value: StructuredDataset, table: StructuredDatasetType, folder: str
) -> StructuredDatasetMessage:
    """Put a folder where a table is to be, and return that place."""
    files = ctx.file_access
    uri = files.upload_directory(folder, value.uri) if value.uri else files.put_raw_data(folder)
    return StructuredDatasetMessage(uri=uri, metadata=StructuredDatasetMetadata(structured_dataset_type=table))


def fetched(ctx: FlyteContext, value: StructuredDatasetMessage) -> str:
    """Return the local path of a table, copied from its place where that is elsewhere."""
    if not ctx.file_access.is_remote(value.uri):
        return str(value.uri.removeprefix("file://"))
    folder = ctx.file_access.get_random_local_directory()
    ctx.file_access.get_data(value.uri, folder, is_multipart=True)
    return folder


def column_names(metadata: StructuredDatasetMetadata) -> list[str] | None:
    """Return the columns that are asked for; None for all."""
    return [column.name for column in metadata.structured_dataset_type.columns] or None
