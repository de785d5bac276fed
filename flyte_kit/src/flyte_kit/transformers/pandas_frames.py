"""pandas data frames as Parquet (through pyarrow) and CSV."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
from flyteidl.core.literals_pb2 import StructuredDataset as StructuredDatasetMessage
from flyteidl.core.literals_pb2 import StructuredDatasetMetadata
from flyteidl.core.types_pb2 import StructuredDatasetType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.transformers.table_places import PART_NAME, column_names, fetched, stored
from flyte_kit.types.structured.engine import StructuredDatasetTransformerEngine
from flyte_kit.types.structured.structured_dataset import (
    CSV,
    PARQUET,
    StructuredDataset,
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
)

ROWS_IN_DECKS = 10


class PandasParquetEncoder(StructuredDatasetEncoder[pd.DataFrame]):
    """Writes one Parquet file in a folder."""

    def __init__(self) -> None:
        super().__init__(pd.DataFrame, None, PARQUET)

    def encode(
        self, ctx: FlyteContext, structured_dataset: StructuredDataset, structured_dataset_type: StructuredDatasetType
    ) -> StructuredDatasetMessage:
        """Write the frame."""
        folder = ctx.file_access.get_random_local_directory()
        structured_dataset.dataframe.to_parquet(os.path.join(folder, PART_NAME), index=False)
        return stored(ctx, structured_dataset, structured_dataset_type, folder)


class PandasParquetDecoder(StructuredDatasetDecoder[pd.DataFrame]):
    """Reads a folder of Parquet files."""

    def __init__(self) -> None:
        super().__init__(pd.DataFrame, None, PARQUET)

    def decode(
        self, ctx: FlyteContext, flyte_value: StructuredDatasetMessage, current_task_metadata: StructuredDatasetMetadata
    ) -> pd.DataFrame:
        """Read the columns that are asked for."""
        return pd.read_parquet(fetched(ctx, flyte_value), columns=column_names(current_task_metadata))


class PandasCSVEncoder(StructuredDatasetEncoder[pd.DataFrame]):
    """Writes one CSV file in a folder."""

    def __init__(self) -> None:
        super().__init__(pd.DataFrame, None, CSV)

    def encode(
        self, ctx: FlyteContext, structured_dataset: StructuredDataset, structured_dataset_type: StructuredDatasetType
    ) -> StructuredDatasetMessage:
        """Write the frame."""
        folder = ctx.file_access.get_random_local_directory()
        structured_dataset.dataframe.to_csv(os.path.join(folder, ".csv"), index=False)
        return stored(ctx, structured_dataset, structured_dataset_type, folder)


class PandasCSVDecoder(StructuredDatasetDecoder[pd.DataFrame]):
    """Reads a folder with a CSV file, or the file."""

    def __init__(self) -> None:
        super().__init__(pd.DataFrame, None, CSV)

    def decode(
        self, ctx: FlyteContext, flyte_value: StructuredDatasetMessage, current_task_metadata: StructuredDatasetMetadata
    ) -> pd.DataFrame:
        """Read the columns that are asked for."""
        path = Path(fetched(ctx, flyte_value))
        files = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
        parts = [pd.read_csv(file, usecols=column_names(current_task_metadata)) for file in files]
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


class TopFrameRenderer:
    """The first rows of a frame."""

    def __init__(self, max_rows: int = ROWS_IN_DECKS, max_cols: int = 100) -> None:
        self._rows, self._columns = max_rows, max_cols

    def to_html(self, df: Any) -> str:
        """Return a table."""
        return str(df.to_html(max_rows=self._rows, max_cols=self._columns))


StructuredDatasetTransformerEngine.register(PandasParquetEncoder(), default_format_for_type=True)
StructuredDatasetTransformerEngine.register(PandasParquetDecoder(), default_format_for_type=True)
StructuredDatasetTransformerEngine.register(PandasCSVEncoder())
StructuredDatasetTransformerEngine.register(PandasCSVDecoder())
StructuredDatasetTransformerEngine.register_renderer(pd.DataFrame, TopFrameRenderer())
