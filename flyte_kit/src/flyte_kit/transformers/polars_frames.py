"""polars data frames as Parquet."""

from __future__ import annotations

import os

import polars as pl
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


class PolarsParquetEncoder(StructuredDatasetEncoder[pl.DataFrame]):
    """Writes one Parquet file in a folder."""

    def __init__(self) -> None:
        super().__init__(pl.DataFrame, None, PARQUET)

    def encode(
        self, ctx: FlyteContext, structured_dataset: StructuredDataset, structured_dataset_type: StructuredDatasetType
    ) -> StructuredDatasetMessage:
        """Write the frame."""
        folder = ctx.file_access.get_random_local_directory()
        structured_dataset.dataframe.write_parquet(os.path.join(folder, PART_NAME))
        return stored(ctx, structured_dataset, structured_dataset_type, folder)


class PolarsParquetDecoder(StructuredDatasetDecoder[pl.DataFrame]):
    """Reads a folder of Parquet files."""

    def __init__(self) -> None:
        super().__init__(pl.DataFrame, None, PARQUET)

    def decode(
        self, ctx: FlyteContext, flyte_value: StructuredDatasetMessage, current_task_metadata: StructuredDatasetMetadata
    ) -> pl.DataFrame:
        """Read the columns that are asked for."""
        folder = fetched(ctx, flyte_value)
        pattern = os.path.join(folder, "*") if os.path.isdir(folder) else folder
        return pl.read_parquet(pattern, columns=column_names(current_task_metadata))


StructuredDatasetTransformerEngine.register(PolarsParquetEncoder(), default_format_for_type=True)
StructuredDatasetTransformerEngine.register(PolarsParquetDecoder(), default_format_for_type=True)
