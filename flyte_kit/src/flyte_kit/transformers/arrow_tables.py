"""Arrow tables as Parquet."""

from __future__ import annotations

import importlib
import os

import pyarrow as pa
from flyteidl.core.literals_pb2 import StructuredDataset as StructuredDatasetMessage
from flyteidl.core.literals_pb2 import StructuredDatasetMetadata
from flyteidl.core.types_pb2 import StructuredDatasetType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.transformers.table_places import PART_NAME, column_names, fetched, stored
from flyte_kit.types.structured.engine import StructuredDatasetTransformerEngine
from flyte_kit.types.structured.structured_dataset import (
    PARQUET,
    StructuredDataset,
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
)


class ArrowParquetEncoder(StructuredDatasetEncoder[pa.Table]):
    """Writes one Parquet file in a folder."""

    def __init__(self) -> None:
        super().__init__(pa.Table, None, PARQUET)

    def encode(
        self, ctx: FlyteContext, structured_dataset: StructuredDataset, structured_dataset_type: StructuredDatasetType
    ) -> StructuredDatasetMessage:
        """Write the table."""
        folder = ctx.file_access.get_random_local_directory()
        parquet = importlib.import_module("pyarrow.parquet")
        parquet.write_table(structured_dataset.dataframe, os.path.join(folder, PART_NAME))
        return stored(ctx, structured_dataset, structured_dataset_type, folder)


class ArrowParquetDecoder(StructuredDatasetDecoder[pa.Table]):
    """Reads a folder of Parquet files."""

    def __init__(self) -> None:
        super().__init__(pa.Table, None, PARQUET)

    def decode(
        self, ctx: FlyteContext, flyte_value: StructuredDatasetMessage, current_task_metadata: StructuredDatasetMetadata
    ) -> pa.Table:
        """Read the columns that are asked for."""
        parquet = importlib.import_module("pyarrow.parquet")
        return parquet.read_table(fetched(ctx, flyte_value), columns=column_names(current_task_metadata))


class ArrowRenderer:
    """The schema of a table."""

    def to_html(self, df: pa.Table) -> str:
        """Return the schema as text."""
        return f"<pre>{df.schema.to_string()}</pre>"


StructuredDatasetTransformerEngine.register(ArrowParquetEncoder(), default_format_for_type=True)
StructuredDatasetTransformerEngine.register(ArrowParquetDecoder(), default_format_for_type=True)
StructuredDatasetTransformerEngine.register_renderer(pa.Table, ArrowRenderer())
