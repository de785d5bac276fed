"""What goes into a node and what comes out of it, for each kind of node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from flyteidl.core.interface_pb2 import TypedInterface, VariableMap
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import ArrayNode, GateNode, Node

from flyte_core.compiler.problems import Code, Problems
from flyte_core.literals import is_castable

Types: TypeAlias = Mapping[str, LiteralType | None]
"""Variables by name; None stands for a type that is not known, with which everything agrees."""


@dataclass(frozen=True, slots=True)
class NodeInterface:
    """Inputs and outputs of a node.

    :ivar inputs: None where the node takes whatever is bound (a branch's condition variables, an approval's value)
    :ivar outputs: None where they are not known, because a reference is missing or the node is malformed
    :ivar optional: inputs that need no binding, beside those whose type is optional
    """

    inputs: Types | None = None
    outputs: Types | None = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


UNKNOWN = NodeInterface(outputs=None)
"""Of a node at fault: what else is wrong because of it is not worth telling."""


def variable_types(variables: VariableMap) -> dict[str, LiteralType | None]:
    """Return the types of declared variables by name."""
    return {name: variable.type for name, variable in variables.variables.items()}


def from_typed(interface: TypedInterface, optional: frozenset[str] = frozenset()) -> NodeInterface:
    """Return the interface of a task, a workflow or a launch plan."""
    return NodeInterface(variable_types(interface.inputs), variable_types(interface.outputs), optional)


def gate_interface(gate: GateNode, node_id: str, bound: Types, problems: Problems) -> NodeInterface:
    """Return the interface of a gate: a signal has one output, an approval hands its inputs on, a sleep has nothing.

    :param bound: types of what is bound to the node's inputs
    """
    match gate.WhichOneof("condition"):
        case "approve":
            _require(bool(gate.approve.signal_id), "gate_node.approve.signal_id", node_id, problems)
            return NodeInterface(outputs=bound)
        case "signal":
            signal = gate.signal
            _require(bool(signal.signal_id), "gate_node.signal.signal_id", node_id, problems)
            _require(bool(signal.output_variable_name), "gate_node.signal.output_variable_name", node_id, problems)
            _require(signal.type.WhichOneof("type") is not None, "gate_node.signal.type", node_id, problems)
            return NodeInterface({}, {signal.output_variable_name: signal.type})
        case "sleep":
            _require(gate.sleep.HasField("duration"), "gate_node.sleep.duration", node_id, problems)
            return NodeInterface({})
        case _:
            problems.add(Code.VALUE_REQUIRED, node_id, "Value required [gate_node.condition].")
            return UNKNOWN


def _require(present: bool, what: str, node_id: str, problems: Problems) -> None:
    if not present:
        problems.add(Code.VALUE_REQUIRED, node_id, f"Value required [{what}].")


def array_interface(array: ArrayNode, element: NodeInterface) -> NodeInterface:
    """Return the interface of an array node, given that of its sub-node.

    The SDK wraps a mapped task's own interface in lists already; where the node says that its sub-node has the
    original one, it is wrapped here, without the inputs that are the same for all elements.
    """
    if not array.is_original_sub_node_interface.value:
        return element
    bound = set(array.bound_inputs)
    inputs = element.inputs
    if inputs is not None:
        inputs = {name: kind if name in bound else _listed(kind) for name, kind in inputs.items()}
    outputs = element.outputs
    if outputs is not None:
        outputs = {name: _listed(kind) for name, kind in outputs.items()}
    return NodeInterface(inputs, outputs, element.optional)


def _listed(literal_type: LiteralType | None) -> LiteralType | None:
    return None if literal_type is None else LiteralType(collection_type=literal_type)


def common_outputs(cases: list[NodeInterface]) -> Types | None:
    """Return the outputs that all cases of a branch have, whichever is taken; None if those of one are not known."""
    sides = [case.outputs for case in cases if case.outputs is not None]
    if not cases or len(sides) < len(cases):
        return None
    first, *others = sides
    return {
        name: kind
        for name, kind in first.items()
        if all(name in other and _agree(kind, other[name]) for other in others)
    }


def _agree(one: LiteralType | None, other: LiteralType | None) -> bool:
    return one is None or other is None or is_castable(one, other) or is_castable(other, one)


def with_aliases(interface: NodeInterface, node: Node, problems: Problems) -> NodeInterface:
    """Return the interface with the names that the node's output aliases add."""
    if not node.output_aliases or interface.outputs is None:
        return interface
    outputs = dict(interface.outputs)
    for alias in node.output_aliases:
        if alias.var not in interface.outputs:
            message = f"Variable [{alias.var}] of an output alias not found on node [{node.id}]."
            problems.add(Code.VARIABLE_NAME_NOT_FOUND, node.id, message)
        elif alias.alias in outputs:
            problems.add(Code.DUPLICATE_ALIAS, node.id, f"Output alias [{alias.alias}] is used more than once.")
        else:
            outputs[alias.alias] = interface.outputs[alias.var]
    return replace(interface, outputs=outputs)
