"""Which type a stored union value may be read as. The rules are flytekit's, looser than the compiler's."""

from __future__ import annotations

from flyteidl.core.types_pb2 import LiteralType, SimpleType, StructuredDatasetType


def castable(upstream: LiteralType, downstream: LiteralType) -> bool:
    """Tell whether a value written as ``upstream`` may be read as ``downstream``."""
    given, wanted = upstream.WhichOneof("type"), downstream.WhichOneof("type")
    if given == "union_type":
        return all(castable(variant, downstream) for variant in upstream.union_type.variants)
    if wanted == "union_type" and any(castable(upstream, variant) for variant in downstream.union_type.variants):
        return True
    if given == "collection_type":
        return bool(wanted == given) and castable(upstream.collection_type, downstream.collection_type)
    if given == "map_value_type":
        return bool(wanted == given) and castable(upstream.map_value_type, downstream.map_value_type)
    if given == "structured_dataset_type":
        tables = upstream.structured_dataset_type, downstream.structured_dataset_type
        return bool(wanted == given) and _same_table(*tables)
    if given == "enum_type" and wanted == "simple" and downstream.simple == SimpleType.STRING:
        return True
    return bool(_essence(upstream) == _essence(downstream))


def _same_table(upstream: StructuredDatasetType, downstream: StructuredDatasetType) -> bool:
    same = (
        upstream.format == downstream.format
        and upstream.external_schema_type == downstream.external_schema_type
        and upstream.external_schema_bytes == downstream.external_schema_bytes
        and len(upstream.columns) == len(downstream.columns)
    )
    return same and all(
        u.name == d.name and castable(u.literal_type, d.literal_type)
        for u, d in zip(upstream.columns, downstream.columns, strict=True)
    )


def _essence(literal_type: LiteralType) -> LiteralType:
    bare = LiteralType()
    bare.CopyFrom(literal_type)
    for extra in ("metadata", "structure", "annotation"):
        bare.ClearField(extra)
    return bare
