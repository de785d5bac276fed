"""Types and values: what fits where, and how a type is named to people.

The rules are upstream's compiler's. They are stricter than Python's in one place that surprises: an INTEGER is not a
FLOAT.
"""

from __future__ import annotations

from flyteidl.core.literals_pb2 import Blob, Literal, LiteralMap, Primitive, Scalar
from flyteidl.core.types_pb2 import BlobType, LiteralType, SchemaType, SimpleType, StructuredDatasetType

from flyte_core.json_schemas import schema_fits

MSGPACK = "msgpack"
"""Tag of a Binary scalar that holds a structure (a dataclass, a dict) and counts as STRUCT."""

_PRIMITIVES = {
    "integer": SimpleType.INTEGER,
    "float_value": SimpleType.FLOAT,
    "string_value": SimpleType.STRING,
    "boolean": SimpleType.BOOLEAN,
    "datetime": SimpleType.DATETIME,
    "duration": SimpleType.DURATION,
}
_SIMPLE_SCALARS = {
    "none_type": SimpleType.NONE,
    "generic": SimpleType.STRUCT,
    "binary": SimpleType.BINARY,
    "error": SimpleType.ERROR,
}
_SCHEMA_COLUMNS = {
    SchemaType.SchemaColumn.INTEGER: SimpleType.INTEGER,
    SchemaType.SchemaColumn.FLOAT: SimpleType.FLOAT,
    SchemaType.SchemaColumn.STRING: SimpleType.STRING,
    SchemaType.SchemaColumn.BOOLEAN: SimpleType.BOOLEAN,
    SchemaType.SchemaColumn.DATETIME: SimpleType.DATETIME,
    SchemaType.SchemaColumn.DURATION: SimpleType.DURATION,
}


def type_text(literal_type: LiteralType) -> str:
    """Return a short name for messages: ``INTEGER``, ``list[STRING]``, ``union[FLOAT | NONE]``, ``blob(csv)``."""
    kind = literal_type.WhichOneof("type")
    match kind:
        case None:
            return "unset"
        case "simple":
            return _simple_name(literal_type.simple)
        case "collection_type":
            return f"list[{type_text(literal_type.collection_type)}]"
        case "map_value_type":
            return f"map[STRING, {type_text(literal_type.map_value_type)}]"
        case "union_type":
            return f"union[{' | '.join(type_text(variant) for variant in literal_type.union_type.variants)}]"
        case "enum_type":
            return f"enum[{', '.join(literal_type.enum_type.values)}]"
        case "blob":
            return _blob_text(literal_type.blob)
        case "structured_dataset_type":
            return _dataset_text(literal_type.structured_dataset_type)
        case _:
            return str(kind)


def _simple_name(number: int) -> str:
    known = SimpleType.DESCRIPTOR.values_by_number.get(number)
    return known.name if known else f"simple type {number}"


def _blob_text(blob: BlobType) -> str:
    noun = "multipart blob" if blob.dimensionality == BlobType.MULTIPART else "blob"
    return f"{noun}({blob.format or 'any format'})"


def _dataset_text(dataset: StructuredDatasetType) -> str:
    columns = ", ".join(f"{column.name} {type_text(column.literal_type)}" for column in dataset.columns)
    return f"structured dataset({dataset.format or 'any format'}{'; columns ' if columns else ''}{columns})"


def is_optional(literal_type: LiteralType) -> bool:
    """Tell whether a value of this type may be left out: a union with NONE among its variants."""
    return literal_type.WhichOneof("type") == "union_type" and any(
        _is_none(variant) for variant in literal_type.union_type.variants
    )


def is_castable(upstream: LiteralType, downstream: LiteralType) -> bool:
    """Tell whether every value of ``upstream`` may go where ``downstream`` is expected."""
    wanted, given = downstream.WhichOneof("type"), upstream.WhichOneof("type")
    if wanted == "union_type":
        return _casts_to_union(upstream, downstream)
    if given == "union_type":
        variants = upstream.union_type.variants
        return len(variants) == 1 and is_castable(variants[0], downstream)
    match wanted:
        case "collection_type":
            return given == wanted and _element_fits(upstream.collection_type, downstream.collection_type)
        case "map_value_type":
            return given == wanted and _element_fits(upstream.map_value_type, downstream.map_value_type)
        case "blob":
            return given == wanted and _blob_fits(upstream.blob, downstream.blob)
        case "schema" | "structured_dataset_type":
            return _is_table(upstream) and _table_fits(upstream, downstream)
        case "enum_type" | "simple":
            return _plain_fits(upstream, downstream)
        case _:
            return False


def _casts_to_union(upstream: LiteralType, downstream: LiteralType) -> bool:
    variants = downstream.union_type.variants
    if upstream.WhichOneof("type") == "union_type":
        return all(any(is_castable(each, variant) for variant in variants) for each in upstream.union_type.variants)
    return sum(is_castable(upstream, variant) for variant in variants) == 1


def _element_fits(upstream: LiteralType, downstream: LiteralType) -> bool:
    # An empty list literal has no better type than "list of NONE".
    return _is_none(upstream) or is_castable(upstream, downstream)


def _is_none(literal_type: LiteralType) -> bool:
    return bool(literal_type.WhichOneof("type") == "simple" and literal_type.simple == SimpleType.NONE)


def _plain_fits(upstream: LiteralType, downstream: LiteralType) -> bool:
    given, wanted = upstream.WhichOneof("type"), downstream.WhichOneof("type")
    if given == "simple" and wanted == "enum_type":
        return bool(upstream.simple == SimpleType.STRING)
    if given == "enum_type" and wanted == "simple":
        return bool(downstream.simple == SimpleType.STRING)
    if given != wanted:
        return False
    if upstream.structure.tag and upstream.structure.tag != downstream.structure.tag:
        return False
    if wanted == "enum_type":
        return list(upstream.enum_type.values) == list(downstream.enum_type.values)
    if upstream.simple != downstream.simple:
        return False
    if upstream.simple == SimpleType.STRUCT and upstream.HasField("metadata") and downstream.HasField("metadata"):
        return schema_fits(upstream.metadata, downstream.metadata)
    return True


def _blob_fits(upstream: BlobType, downstream: BlobType) -> bool:
    if upstream.dimensionality != downstream.dimensionality:
        return False
    return not upstream.format or not downstream.format or bool(upstream.format == downstream.format)


def _is_table(literal_type: LiteralType) -> bool:
    return literal_type.WhichOneof("type") in ("schema", "structured_dataset_type")


def _table_fits(upstream: LiteralType, downstream: LiteralType) -> bool:
    if not _formats_agree(_table_format(upstream), _table_format(downstream)):
        return False
    given, wanted = _columns(upstream), _columns(downstream)
    if not wanted or not given:  # a table whose columns nobody states may have those that are wanted
        return True
    return all(name in given and is_castable(given[name], column) for name, column in wanted.items())


def _table_format(literal_type: LiteralType) -> str:
    # What the older type (schema) describes is always parquet.
    if literal_type.WhichOneof("type") == "schema":
        return "parquet"
    return str(literal_type.structured_dataset_type.format).lower()


def _formats_agree(upstream: str, downstream: str) -> bool:
    return not upstream or not downstream or upstream == downstream


def _columns(literal_type: LiteralType) -> dict[str, LiteralType]:
    if literal_type.WhichOneof("type") == "schema":
        return {
            column.name: LiteralType(simple=_SCHEMA_COLUMNS[column.type])
            for column in literal_type.schema.columns
            if column.type in _SCHEMA_COLUMNS
        }
    return {column.name: column.literal_type for column in literal_type.structured_dataset_type.columns}


def literal_problem(literal: Literal, literal_type: LiteralType) -> str | None:
    """Say why a value does not fit a type, None if it does.

    Checks values where upstream looks at types only: each list and map entry is checked by itself (so that an empty
    list fits any list), and an enum's value must be one of its values.

    :return: one line that names the place within the value, what is expected and what was given
    """
    if literal.WhichOneof("value") == "offloaded_metadata":
        inferred = literal.offloaded_metadata.inferred_type
        return None if is_castable(inferred, literal_type) else _expected(literal_type, type_text(inferred))
    match literal_type.WhichOneof("type"):
        case "union_type":
            return _union_problem(literal, literal_type)
        case "collection_type":
            return _collection_problem(literal, literal_type)
        case "map_value_type":
            return _map_problem(literal, literal_type)
        case _:
            return _scalar_problem(literal, literal_type)


def _expected(literal_type: LiteralType, given: str) -> str:
    return f"expected {type_text(literal_type)}, got {given}"


def _given(literal: Literal) -> str:
    kind = literal.WhichOneof("value")
    if kind != "scalar":
        return {"collection": "a list", "map": "a map"}.get(kind or "", "no value")
    scalar_kind = literal.scalar.WhichOneof("value")
    if scalar_kind == "primitive":
        primitive = literal.scalar.primitive.WhichOneof("value")
        return _simple_name(_PRIMITIVES[primitive]) if primitive else "no value"
    return {"none_type": "NONE", "generic": "STRUCT", None: "no value"}.get(scalar_kind, str(scalar_kind))


def _union_problem(literal: Literal, literal_type: LiteralType) -> str | None:
    variants = literal_type.union_type.variants
    if literal.WhichOneof("value") == "scalar" and literal.scalar.WhichOneof("value") == "union":
        union = literal.scalar.union
        if not any(is_castable(union.type, variant) for variant in variants):
            return _expected(literal_type, type_text(union.type))
        return literal_problem(union.value, union.type)
    if any(literal_problem(literal, variant) is None for variant in variants):
        return None
    return _expected(literal_type, _given(literal))


def _collection_problem(literal: Literal, literal_type: LiteralType) -> str | None:
    if literal.WhichOneof("value") != "collection":
        return _expected(literal_type, _given(literal))
    for index, item in enumerate(literal.collection.literals):
        problem = literal_problem(item, literal_type.collection_type)
        if problem:
            return f"[{index}]: {problem}"
    return None


def _map_problem(literal: Literal, literal_type: LiteralType) -> str | None:
    if literal.WhichOneof("value") != "map":
        return _expected(literal_type, _given(literal))
    return _entries_problem(literal.map, literal_type.map_value_type)


def _entries_problem(entries: LiteralMap, value_type: LiteralType) -> str | None:
    for key, item in entries.literals.items():
        problem = literal_problem(item, value_type)
        if problem:
            return f"[{key!r}]: {problem}"
    return None


def _scalar_problem(literal: Literal, literal_type: LiteralType) -> str | None:
    if literal.WhichOneof("value") != "scalar":
        return _expected(literal_type, _given(literal))
    scalar = literal.scalar
    given = scalar.WhichOneof("value")
    if given == "union":
        return literal_problem(scalar.union.value, literal_type)
    match literal_type.WhichOneof("type"):
        case "simple":
            fits = _simple_matches(scalar, literal_type.simple)
        case "enum_type":
            return _enum_problem(scalar.primitive, literal_type, _given(literal))
        case "blob":
            fits = given == "blob" and _blob_fits(_blob_type(scalar.blob), literal_type.blob)
        case "schema" | "structured_dataset_type":
            fits = given in ("schema", "structured_dataset") and _table_fits(_table_type(scalar), literal_type)
        case _:
            fits = False
    return None if fits else _expected(literal_type, _given(literal))


def _simple_matches(scalar: Scalar, wanted: int) -> bool:
    match scalar.WhichOneof("value"):
        case "primitive":
            kind = scalar.primitive.WhichOneof("value")
            accepted = {_PRIMITIVES[kind]} if kind else set()
        case "binary" if scalar.binary.tag == MSGPACK:
            accepted = {SimpleType.BINARY, SimpleType.STRUCT}
        case other:
            accepted = {_SIMPLE_SCALARS[other]} if other in _SIMPLE_SCALARS else set()
    return wanted in accepted


def _enum_problem(primitive: Primitive, literal_type: LiteralType, given: str) -> str | None:
    if primitive.WhichOneof("value") != "string_value":
        return _expected(literal_type, given)
    if primitive.string_value in literal_type.enum_type.values:
        return None
    return _expected(literal_type, repr(primitive.string_value[:256]))


def _blob_type(blob: Blob) -> BlobType:
    return blob.metadata.type


def _table_type(scalar: Scalar) -> LiteralType:
    if scalar.WhichOneof("value") == "schema":
        return LiteralType(schema=scalar.schema.type)
    return LiteralType(structured_dataset_type=_dataset_type(scalar))


def _dataset_type(scalar: Scalar) -> StructuredDatasetType:
    return scalar.structured_dataset.metadata.structured_dataset_type
