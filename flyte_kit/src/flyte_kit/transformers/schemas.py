"""``FlyteSchema`` as a schema literal."""

from __future__ import annotations

import datetime
import os
import sys
from typing import Any

from flyteidl.core.literals_pb2 import Literal, Schema
from flyteidl.core.types_pb2 import LiteralType, SchemaType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformer, TypeTransformerFailedError, get_underlying_type
from flyte_kit.types.schema.types import FlyteSchema

_COLUMN_TYPES: dict[Any, int] = {
    str: SchemaType.SchemaColumn.STRING,
    int: SchemaType.SchemaColumn.INTEGER,
    float: SchemaType.SchemaColumn.FLOAT,
    bool: SchemaType.SchemaColumn.BOOLEAN,
    datetime.datetime: SchemaType.SchemaColumn.DATETIME,
    datetime.timedelta: SchemaType.SchemaColumn.DURATION,
}


class FlyteSchemaTransformer(TypeTransformer[FlyteSchema]):
    """FlyteSchema, from a FlyteSchema or a pandas frame."""

    does_io = True

    def __init__(self) -> None:
        super().__init__("FlyteSchema Transformer", FlyteSchema, enable_type_assertions=False)

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the columns that a type states."""
        return LiteralType(schema=_schema_type(get_underlying_type(t)))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Put the folder at its place."""
        wanted = get_underlying_type(python_type)
        if not isinstance(python_val, FlyteSchema):
            pandas = sys.modules.get("pandas")
            if pandas is None or not isinstance(python_val, pandas.DataFrame):
                raise TypeTransformerFailedError(f"Expected a FlyteSchema or a pandas frame, got {type(python_val)}")
            frame, python_val = python_val, wanted()
            python_val.open().write(frame)
        if os.path.isdir(python_val.local_path) and os.listdir(python_val.local_path):
            ctx.file_access.put_data(python_val.local_path, python_val.remote_path, is_multipart=True)
        literal = Literal()
        literal.scalar.schema.CopyFrom(Schema(uri=python_val.remote_path, type=_schema_type(wanted)))
        return literal

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return a schema that is fetched when it is opened."""
        wanted = get_underlying_type(expected_python_type)
        match lv.scalar.WhichOneof("value"):
            case "schema":
                return wanted(remote_path=lv.scalar.schema.uri)
            case "structured_dataset":
                return wanted(remote_path=lv.scalar.structured_dataset.uri)
            case _:
                self.refuse(lv, wanted)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return FlyteSchema with the type's columns."""
        if literal_type.WhichOneof("type") != "schema":
            raise ValueError(f"Transformer {self} cannot reverse {literal_type}")
        names = {number: kind for kind, number in _COLUMN_TYPES.items()}
        columns = {column.name: names[column.type] for column in literal_type.schema.columns}
        cls: Any = FlyteSchema
        return cls[columns] if columns else cls


def _schema_type(t: Any) -> SchemaType:
    result = SchemaType()
    for name, python_type in t.columns().items():
        if python_type not in _COLUMN_TYPES:
            raise AssertionError(f"type {python_type} is currently not supported by FlyteSchema")
        result.columns.add(name=name, type=_COLUMN_TYPES[python_type])
    return result


TypeEngine.register(FlyteSchemaTransformer())
