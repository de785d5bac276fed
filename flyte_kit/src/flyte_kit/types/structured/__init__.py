"""Tables: a data frame here, an object or a warehouse's table there."""

from flyte_kit.types.structured.engine import StructuredDatasetTransformerEngine, StructuredDatasetType
from flyte_kit.types.structured.structured_dataset import (
    CSV,
    GENERIC_FORMAT,
    PARQUET,
    StructuredDataset,
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
    StructuredDatasetFormat,
)

__all__ = [
    "CSV",
    "GENERIC_FORMAT",
    "PARQUET",
    "StructuredDataset",
    "StructuredDatasetDecoder",
    "StructuredDatasetEncoder",
    "StructuredDatasetFormat",
    "StructuredDatasetTransformerEngine",
    "StructuredDatasetType",
]
