"""Echo tasks return their inputs."""

from __future__ import annotations

import pytest
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_core.errors import InvalidInput
from flyte_core.plugins import PluginManager
from flyte_core.testing.conformance import check_inline_task_type, sample_context

ID = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="m.t", version="v")


def variables(*names: str) -> VariableMap:
    kind = Variable(type=LiteralType(simple=SimpleType.INTEGER))
    return VariableMap(variables=dict.fromkeys(names, kind))


def template(inputs: tuple[str, ...], outputs: tuple[str, ...]) -> TaskTemplate:
    interface = TypedInterface(inputs=variables(*inputs), outputs=variables(*outputs))
    return TaskTemplate(id=ID, type="echo", interface=interface)


def number(value: int) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(integer=value)))


async def test_the_outputs_are_the_inputs() -> None:
    task_type = PluginManager.scan().task_type("echo")
    inputs = LiteralMap(literals={"a": number(1), "b": number(2)})
    context = sample_context(template(("a", "b"), ("o0", "o1")), inputs=inputs)
    outputs = await task_type.run(context)  # type: ignore[union-attr]
    assert {name: literal.scalar.primitive.integer for name, literal in outputs.literals.items()} == {"o0": 1, "o1": 2}


async def test_a_task_with_other_outputs_than_inputs_is_refused() -> None:
    task_type = PluginManager.scan().task_type("echo")
    with pytest.raises(InvalidInput, match="not 1 inputs and 0 outputs"):
        await task_type.run(sample_context(template(("a",), ())))  # type: ignore[union-attr]


async def test_the_task_type_conforms() -> None:
    task_type = PluginManager.scan().task_type("echo")
    await check_inline_task_type(task_type, template((), ()))  # type: ignore[arg-type]
