"""Types of the wire, under flytekit's module name."""

from flyteidl.core.types_pb2 import (
    Error,
    LiteralType,
    SchemaType,
    SimpleType,
    StructuredDatasetType,
    TypeAnnotation,
    TypeStructure,
    UnionType,
)

__all__ = [
    "Error",
    "LiteralType",
    "SchemaType",
    "SimpleType",
    "StructuredDatasetType",
    "TypeAnnotation",
    "TypeStructure",
    "UnionType",
]
