"""Checks what is bound to a node's inputs against what the node takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flyteidl.core.literals_pb2 import Binding, BindingData, Literal
from flyteidl.core.types_pb2 import LiteralType, OutputReference, SimpleType

from flyte_core.compiler.interfaces import NodeInterface, Types
from flyte_core.compiler.problems import Code, Problems
from flyte_core.literals import is_castable, is_optional, literal_problem, type_text


@dataclass(frozen=True, slots=True)
class BindingCheck:
    """Checks bindings against the outputs of the nodes they refer to.

    :ivar outputs: of each node that is known so far; promises of others are not checked
    """

    outputs: Mapping[str, Types]
    problems: Problems

    def check(self, node_id: str, bindings: Iterable[Binding], interface: NodeInterface) -> None:
        """Report unknown, doubled, missing and mismatching bindings of one node."""
        bound: set[str] = set()
        for binding in bindings:
            if binding.var in bound:
                message = f"Input [{binding.var}] is bound more than once."
                self.problems.add(Code.PARAMETER_BOUND_MORE_THAN_ONCE, node_id, message)
                continue
            bound.add(binding.var)
            self._check_one(node_id, binding, interface)
        for name, literal_type in (interface.inputs or {}).items():
            needed = name not in bound and name not in interface.optional
            if needed and literal_type is not None and not is_optional(literal_type):
                self.problems.add(Code.PARAMETER_NOT_BOUND, node_id, f"Parameter not bound [{name}].")

    def _check_one(self, node_id: str, binding: Binding, interface: NodeInterface) -> None:
        if interface.inputs is not None and binding.var not in interface.inputs:
            message = f"Variable [{binding.var}] not found on node [{node_id}]."
            self.problems.add(Code.VARIABLE_NAME_NOT_FOUND, node_id, message)
            return
        wanted = interface.inputs[binding.var] if interface.inputs is not None else None
        fault = self._fault(binding.binding, wanted)
        if fault is not None:
            code, description = fault
            self.problems.add(code, node_id, f"Variable [{binding.var}]: {description}")

    def type_of(self, binding: BindingData) -> LiteralType | None:
        """Return the type of a promise; None for other bindings and where it is not known."""
        if binding.WhichOneof("value") != "promise":
            return None
        found = self._promised(binding.promise)
        return found if isinstance(found, LiteralType) else None

    def _fault(self, binding: BindingData, wanted: LiteralType | None) -> tuple[Code, str] | None:
        kind = binding.WhichOneof("value")
        if kind == "promise":
            return self._promise_fault(binding.promise, wanted)
        if kind is None:
            return Code.VALUE_REQUIRED, "Value required."
        if wanted is not None and kind == "scalar":
            problem = literal_problem(Literal(scalar=binding.scalar), wanted)
            return (Code.MISMATCHING_TYPES, f"{problem}.") if problem else None
        if wanted is not None and wanted.WhichOneof("type") == "union_type":
            return self._union_fault(binding, wanted)
        return self._parts_fault(binding, wanted)

    def _parts_fault(self, binding: BindingData, wanted: LiteralType | None) -> tuple[Code, str] | None:
        if binding.WhichOneof("value") == "collection":
            parts = [(f"[{index}]", item) for index, item in enumerate(binding.collection.bindings)]
            shape = "collection_type"
        else:
            parts = [(f"[{key!r}]", item) for key, item in sorted(binding.map.bindings.items())]
            shape = "map_value_type"
        if wanted is not None and wanted.WhichOneof("type") != shape:
            if wanted.WhichOneof("type") == "simple" and wanted.simple == SimpleType.STRUCT:
                return self._parts_fault(binding, None)
            given = "a list" if shape == "collection_type" else "a map"
            return Code.MISMATCHING_BINDINGS, f"expected {type_text(wanted)}, got {given}."
        element = getattr(wanted, shape) if wanted is not None else None
        for place, item in parts:
            fault = self._fault(item, element)
            if fault is not None:
                return fault[0], f"{place}: {fault[1]}"
        return None

    def _union_fault(self, binding: BindingData, wanted: LiteralType) -> tuple[Code, str] | None:
        variants = list(wanted.union_type.variants)
        if binding.HasField("union") and binding.union.HasField("targetType"):
            target = binding.union.targetType
            variants = [variant for variant in variants if is_castable(target, variant)][:1]
        matching = [variant for variant in variants if self._fault(binding, variant) is None]
        if not matching:
            return Code.INCOMPATIBLE_BINDING_UNION_VALUE, f"no variant of {type_text(wanted)} takes the value bound."
        if len(matching) > 1:
            named = " and ".join(type_text(variant) for variant in matching)
            return Code.AMBIGUOUS_BINDING_UNION_VALUE, f"{named} of {type_text(wanted)} both take the value bound."
        return None

    def _promise_fault(self, promise: OutputReference, wanted: LiteralType | None) -> tuple[Code, str] | None:
        found = self._promised(promise)
        if isinstance(found, tuple):
            return found
        if found is None or wanted is None or is_castable(found, wanted):
            return None
        given = f"[{promise.node_id}.{promise.var}] of type {type_text(found)}"
        return Code.MISMATCHING_TYPES, f"{given} doesn't match expected type {type_text(wanted)}."

    def _promised(self, promise: OutputReference) -> LiteralType | tuple[Code, str] | None:
        outputs = self.outputs.get(promise.node_id)
        if outputs is None:
            return None
        if promise.var not in outputs:
            return Code.VARIABLE_NAME_NOT_FOUND, f"Variable [{promise.var}] not found on node [{promise.node_id}]."
        current = outputs[promise.var]
        for attribute in promise.attr_path:
            if current is None:
                return None
            key = attribute.string_value if attribute.WhichOneof("value") == "string_value" else attribute.int_value
            following = _attribute_type(current, key)
            if isinstance(following, str):
                return Code.FIELD_NOT_FOUND, f"[{promise.node_id}.{promise.var}]: {following}"
            current = following
        return current


def _attribute_type(literal_type: LiteralType, key: str | int) -> LiteralType | str | None:
    """Return the type behind one step of an attribute path, None if it is not known, a text if there is none."""
    kind = literal_type.WhichOneof("type")
    if kind == "collection_type" and isinstance(key, int):
        return literal_type.collection_type
    if kind == "map_value_type" and isinstance(key, str):
        return literal_type.map_value_type
    if kind == "union_type":
        return None
    if kind == "simple" and literal_type.simple == SimpleType.STRUCT:
        fields = literal_type.structure.dataclass_type
        if not fields:
            return None
        return fields[key] if key in fields else f"Field [{key}] not found; there are [{', '.join(sorted(fields))}]."
    return f"Field [{key}] not found on type {type_text(literal_type)}."
