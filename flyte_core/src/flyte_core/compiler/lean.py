"""Interfaces without descriptions and type metadata: what the data plane carries of them (upstream's rule)."""

from __future__ import annotations

from flyteidl.core.interface_pb2 import TypedInterface, VariableMap
from flyteidl.core.types_pb2 import LiteralType

_CACHE_KEY_METADATA = "cache-key-metadata"


def lean_interface(interface: TypedInterface) -> TypedInterface:
    """Return the interface with both sides lean; a side that is not set stays so."""
    lean = TypedInterface()
    if interface.HasField("inputs"):
        lean.inputs.CopyFrom(lean_variables(interface.inputs))
    if interface.HasField("outputs"):
        lean.outputs.CopyFrom(lean_variables(interface.outputs))
    return lean


def lean_variables(variables: VariableMap) -> VariableMap:
    """Return the variables with their types alone; annotations that choose the cache key stay."""
    lean = VariableMap()
    for name, variable in variables.variables.items():
        copied = lean.variables[name]
        copied.CopyFrom(variable)
        copied.ClearField("description")
        _strip(copied.type)
    return lean


def _strip(literal_type: LiteralType) -> None:
    literal_type.ClearField("metadata")
    if _CACHE_KEY_METADATA not in literal_type.annotation.annotations.fields:
        literal_type.ClearField("annotation")
    match literal_type.WhichOneof("type"):
        case "collection_type":
            _strip(literal_type.collection_type)
        case "map_value_type":
            _strip(literal_type.map_value_type)
        case "union_type":
            for variant in literal_type.union_type.variants:
                _strip(variant)
