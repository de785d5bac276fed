"""What is wrong with a program: everything that can be known without a control plane, all at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledTask
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_core.compiler import CompileErrors, LaunchPlanInterface, compile_task, compile_workflow
from flyte_core.errors import ConfigError
from flyte_kit.configuration.images import Image, ImageConfig, named_images
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.workflow import WorkflowBase
from flyte_kit.image_spec.image_spec import ImageBuildEngine, ImageSpec
from flyte_kit.serialization.entities import Serializer
from flyte_kit.serialization.registrable import Registrable

UNKNOWN_BUILDER = "UnknownBuilder"
UNKNOWN_IMAGE = "UnknownImage"
SECRET_WITHOUT_GROUP = "SecretWithoutGroup"
NOT_IMPORTED = "NotImported"
NOT_SERIALIZED = "NotSerialized"
IN_SUB_WORKFLOW = " (in sub-workflow "


@dataclass(frozen=True, slots=True)
class Found:
    """One problem.

    :ivar name: of the task, workflow or launch plan, or of the file that cannot be imported
    :ivar node: id of the node at fault; empty where none is
    :ivar code: of the compiler, or one of this module
    """

    name: str
    node: str
    code: str
    description: str


@dataclass
class Checked:
    """What was looked at.

    :ivar problems: in the order of discovery
    """

    messages: list[Registrable] = field(default_factory=list)
    problems: list[Found] = field(default_factory=list)


def check(entities: Sequence[Any], settings: SerializationSettings) -> Checked:
    """Put everything together as a registration would, and compile it as the control plane would.

    Nothing is built and nothing is asked for. What the program only refers to counts as being there.
    """
    result = Checked()
    config = _known_images(entities, settings.image_config, result.problems)
    serializer = Serializer(dataclasses.replace(settings, image_config=config))
    _serialize(serializer, entities, result.problems)
    result.messages = [message for message in serializer.known.values() if isinstance(message, Registrable)]
    tasks = [*_referred_tasks(serializer)]
    for message in result.messages:
        if isinstance(message, TaskSpec):
            result.problems += _problems_of_task(message)
            tasks.append(CompiledTask(template=message.template))
    plans = [*_launch_plans(serializer)]
    for message in result.messages:
        if isinstance(message, WorkflowSpec):
            result.problems += _problems_of_workflow(message, tasks, plans)
    return result


def _known_images(entities: Iterable[Any], config: ImageConfig, problems: list[Found]) -> ImageConfig:
    """Return images of which none is missing and none has to be built, so that the rest can be checked."""
    images = list(config.images or [])
    for entity in entities:
        image = getattr(entity, "container_image", None) or getattr(entity, "image", None)
        if isinstance(image, ImageSpec):
            problems += _unknown_builders(entity.name, image)
            images.append(_stand_in(image.id))
        elif isinstance(image, str):
            for name in named_images(image):
                if config.find_image(name) is None:
                    text = f"{image}: there is no image named {name!r}; give it with --image {name}=… or in the file"
                    problems.append(Found(entity.name, "", UNKNOWN_IMAGE, text))
                    images.append(_stand_in(name))
    return ImageConfig(config.default_image, images)


def _stand_in(name: str) -> Image:
    return Image(name, "not-built", tag="yet")


def _unknown_builders(name: str, spec: ImageSpec) -> Iterator[Found]:
    base: Any = spec
    while isinstance(base, ImageSpec):
        try:
            if base.builder is not None:
                ImageBuildEngine.check_builder(base.builder)
        except ConfigError as error:
            yield Found(name, "", UNKNOWN_BUILDER, str(error))
        base = base.base_image


def _serialize(serializer: Serializer, entities: Iterable[Any], problems: list[Found]) -> None:
    """Add everything; whatever a workflow's own code or the SDK raises is a problem."""
    sound = []
    for entity in entities:
        try:
            if isinstance(entity, WorkflowBase):
                entity.compile()
            sound.append(entity)
        except Exception as error:  # noqa: BLE001 - the border to the user's code
            problems.append(_not_serialized(entity, error))
    told = {problem.description for problem in problems}
    for entity in sound:
        try:
            serializer.add(entity)
        except Exception as error:  # noqa: BLE001 - the border to the user's code
            found = _not_serialized(entity, error)
            if found.description not in told:  # of something that this one needs
                told.add(found.description)
                problems.append(found)


def _not_serialized(entity: Any, error: Exception) -> Found:
    text = " ".join(str(error).split())
    return Found(entity.name, "", NOT_SERIALIZED, f"{type(error).__name__}: {text}")


def _problems_of_task(spec: TaskSpec) -> Iterator[Found]:
    name = spec.template.id.name
    try:
        compile_task(spec)
    except CompileErrors as errors:
        yield from (Found(name, "", each.code, each.description) for each in errors.problems)
    for secret in spec.template.security_context.secrets:
        if not secret.group:
            text = f"the secret {secret.key!r} names no group: Secret(group=…, key={secret.key!r})"
            yield Found(name, "", SECRET_WITHOUT_GROUP, text)


def _problems_of_workflow(
    spec: WorkflowSpec, tasks: list[CompiledTask], plans: list[LaunchPlanInterface]
) -> Iterator[Found]:
    name = spec.template.id.name
    try:
        compile_workflow(spec, tasks, plans)
    except CompileErrors as errors:
        for each in errors.problems:
            if IN_SUB_WORKFLOW not in each.description:  # it is checked on its own
                yield Found(name, "" if each.node_id == name else each.node_id, each.code, each.description)


def _referred(serializer: Serializer, kind: int) -> Iterator[tuple[Identifier, TypedInterface]]:
    for entity, message in serializer.known.items():
        if isinstance(message, Identifier) and message.resource_type == kind:
            yield message, entity.python_interface.typed


def _referred_tasks(serializer: Serializer) -> Iterator[CompiledTask]:
    for identifier, interface in _referred(serializer, ResourceType.TASK):
        yield CompiledTask(template=TaskTemplate(id=identifier, interface=interface))


def _launch_plans(serializer: Serializer) -> Iterator[LaunchPlanInterface]:
    for identifier, interface in _referred(serializer, ResourceType.LAUNCH_PLAN):
        yield LaunchPlanInterface(identifier, interface, frozenset(interface.inputs.variables))
    for entity, message in serializer.known.items():
        if isinstance(message, LaunchPlanMessage):
            workflow = serializer.known[entity.workflow].template
            interface = TypedInterface(outputs=workflow.interface.outputs)
            expected = message.spec.default_inputs.parameters
            for name, parameter in expected.items():
                interface.inputs.variables[name].CopyFrom(parameter.var)
            defaulted = frozenset(name for name, parameter in expected.items() if not parameter.required)
            yield LaunchPlanInterface(message.id, interface, defaulted)
