"""Tables as flytekit had them before StructuredDataset; kept for programs that use them."""

from flyte_kit.types.schema.types import FlyteSchema, SchemaFormat, SchemaOpenMode

__all__ = ["FlyteSchema", "SchemaFormat", "SchemaOpenMode"]
