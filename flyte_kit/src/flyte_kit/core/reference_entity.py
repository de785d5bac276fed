"""Entities that are registered already: an id and a signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.core.calls import call_entity, translate_inputs_to_literals
from flyte_kit.core.context_manager import ExecutionMode, FlyteContext
from flyte_kit.core.interface import Interface, transform_function_to_interface
from flyte_kit.core.node import node_metadata
from flyte_kit.core.output_literals import outputs_by_name
from flyte_kit.core.promise import Promise, VoidPromise, create_task_output
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_variables import P, R


@dataclass(frozen=True)
class Reference:
    """An id; empty parts are those of the registration that uses it."""

    project: str
    domain: str
    name: str
    version: str

    @property
    def resource_type(self) -> int:
        """Kind of the entity."""
        raise NotImplementedError(f"{type(self).__name__}.resource_type is missing")

    @property
    def id(self) -> Identifier:
        """The id as the wire has it."""
        return Identifier(
            resource_type=self.resource_type,
            project=self.project,
            domain=self.domain,
            name=self.name,
            version=self.version,
        )


class TaskReference(Reference):
    """Id of a task."""

    @property
    def resource_type(self) -> int:
        """Kind of the entity."""
        return int(ResourceType.TASK)


class WorkflowReference(Reference):
    """Id of a workflow."""

    @property
    def resource_type(self) -> int:
        """Kind of the entity."""
        return int(ResourceType.WORKFLOW)


class LaunchPlanReference(Reference):
    """Id of a launch plan."""

    @property
    def resource_type(self) -> int:
        """Kind of the entity."""
        return int(ResourceType.LAUNCH_PLAN)


class ReferenceEntity(Generic[P, R]):
    """Something that is registered already; it can be called in workflows, and run locally only when it is mocked."""

    def __init__(self, reference: Reference, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        self.reference = reference
        self._native_interface = Interface(inputs=inputs, outputs=outputs)

    @property
    def id(self) -> Identifier:
        """Its id."""
        return self.reference.id

    @property
    def name(self) -> str:
        """Its name."""
        return self.reference.name

    @property
    def python_interface(self) -> Interface:
        """Signature in Python's types."""
        return self._native_interface

    @property
    def interface(self) -> TypedInterface:
        """Signature on the wire."""
        return self._native_interface.typed

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of a node that calls it."""
        return node_metadata(self.name.rsplit(".", 1)[-1])

    def execute(self, **kwargs: Any) -> Any:
        """Refuse: the code is elsewhere.

        :raises NotImplementedError: always; ``flyte_kit.testing.patch`` and ``task_mock`` replace this method
        """
        raise NotImplementedError(f"{self.name} is a reference: mock it to run it here (flyte_kit.testing.task_mock).")

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.LOCAL_TASK_EXECUTION

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Run what it was mocked with, through literals."""
        interface = self._native_interface
        literals = translate_inputs_to_literals(ctx, kwargs, self.interface.inputs, interface.inputs)
        native = {name: TypeEngine.to_python_value(ctx, lit, interface.inputs[name]) for name, lit in literals.items()}
        result = self.execute(**native)
        if not interface.outputs:
            return VoidPromise(self.name)
        values = outputs_by_name(interface, result)
        outputs = translate_inputs_to_literals(ctx, values, self.interface.outputs, interface.outputs)
        return create_task_output([Promise(name, outputs[name]) for name in interface.outputs], interface)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it: see :func:`flyte_kit.core.calls.call_entity`."""
        result: R = call_entity(self, *args, **kwargs)
        return result

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


def reference_by_signature(
    kind: Callable[[str, str, str, str, dict[str, Any], dict[str, Any]], Any],
    project: str,
    domain: str,
    name: str,
    version: str,
) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator that makes a reference of this kind with the signature of the function it is put on."""

    def wrapper(function: Callable[..., Any]) -> Any:
        interface = transform_function_to_interface(function, is_reference_entity=True)
        return kind(project, domain, name, version, interface.inputs, interface.outputs)

    return wrapper
