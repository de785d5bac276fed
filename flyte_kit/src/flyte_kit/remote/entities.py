"""Tasks, workflows and launch plans that are registered, as they come from the control plane.

They can be launched, and called within workflows like those of this program.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.task_pb2 import Task as TaskMessage
from flyteidl.admin.workflow_pb2 import Workflow as WorkflowMessage
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.core.calls import call_entity
from flyte_kit.core.context_manager import ExecutionMode, FlyteContext
from flyte_kit.core.interface import Interface
from flyte_kit.core.node import node_metadata
from flyte_kit.core.type_engine import TypeEngine


class RemoteEntity:
    """Something that is registered.

    :ivar id: its id
    """

    def __init__(self, identifier: Identifier) -> None:
        self.id = identifier

    @property
    def registered_id(self) -> Identifier:
        """Its id, by which workflows refer to it."""
        return self.id

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.id.name)

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.id.version)

    @property
    def interface(self) -> TypedInterface:
        """Signature on the wire."""
        raise NotImplementedError(f"{type(self).__name__}.interface is missing")

    @cached_property
    def python_interface(self) -> Interface:
        """Signature in Python's types, guessed from the wire."""
        wire = self.interface
        interface = Interface(
            inputs=TypeEngine.guess_python_types(wire.inputs.variables),
            outputs=TypeEngine.guess_python_types(wire.outputs.variables),
        )
        return interface.with_wire_form(wire)

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of a node that calls it."""
        return node_metadata(self.name.rsplit(".", 1)[-1])

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.LOCAL_TASK_EXECUTION

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Refuse: its code is not here.

        :raises NotImplementedError: always
        """
        raise NotImplementedError(f"{self.name} is registered elsewhere and cannot run in this process")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it within a workflow."""
        return call_entity(self, *args, **kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id.project}:{self.id.domain}:{self.name}:{self.version})"


class FlyteTask(RemoteEntity):
    """A registered task.

    :ivar template: as the engine runs it
    """

    def __init__(self, message: TaskMessage) -> None:
        super().__init__(message.id)
        self.message = message
        self.template = message.closure.compiled_task.template

    @property
    def interface(self) -> TypedInterface:
        """Signature on the wire."""
        return self.template.interface


class FlyteWorkflow(RemoteEntity):
    """A registered workflow.

    :ivar compiled: with all its parts
    """

    def __init__(self, message: WorkflowMessage) -> None:
        super().__init__(message.id)
        self.message = message
        self.compiled = message.closure.compiled_workflow

    @property
    def interface(self) -> TypedInterface:
        """Signature on the wire."""
        return self.compiled.primary.template.interface

    @property
    def nodes(self) -> list[Any]:
        """Its nodes, as the wire has them."""
        return list(self.compiled.primary.template.nodes)


class FlyteLaunchPlan(RemoteEntity):
    """A registered launch plan.

    :ivar spec: as it was registered
    """

    def __init__(self, message: LaunchPlanMessage) -> None:
        super().__init__(message.id)
        self.message = message
        self.spec = message.spec

    @property
    def interface(self) -> TypedInterface:
        """Signature on the wire."""
        closure = self.message.closure
        result = TypedInterface(outputs=closure.expected_outputs)
        for name, parameter in closure.expected_inputs.parameters.items():
            result.inputs.variables[name].CopyFrom(parameter.var)
        return result

    @property
    def fixed_inputs(self) -> LiteralMap:
        """Inputs that nobody can change."""
        return self.spec.fixed_inputs

    @property
    def required_inputs(self) -> list[str]:
        """Inputs that have no default."""
        parameters = self.message.closure.expected_inputs.parameters
        return sorted(name for name in parameters if parameters[name].required)

    @property
    def is_active(self) -> bool:
        """Whether it is the active version of its name."""
        return bool(self.message.closure.state)
