"""Serializes an entity and all that it needs, each once, what is needed first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, TypeAlias

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import PythonTask
from flyte_kit.core.context_manager import FlyteContextManager, FlyteEntities
from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.core.options import Options
from flyte_kit.core.reference_entity import ReferenceEntity
from flyte_kit.core.workflow import WorkflowBase
from flyte_kit.serialization.launch_plans import launch_plan_message
from flyte_kit.serialization.scope import Scope
from flyte_kit.serialization.tasks import task_spec
from flyte_kit.serialization.workflows import workflow_spec

Entities: TypeAlias = "OrderedDict[Any, Any]"
"""Entity to its message, in the order in which they can be registered."""


def get_serializable(
    entity_mapping: Entities, settings: SerializationSettings, entity: Any, options: Options | None = None
) -> Any:
    """Return the message of an entity: a TaskSpec, WorkflowSpec, LaunchPlan, or the id of a reference.

    :param entity_mapping: is filled with the entity and all that it needs
    :raises ValueError: if there is no message for it
    """
    return Serializer(settings, options, entity_mapping).add(entity)


class Serializer:
    """One serialization.

    :param options: of launch plans
    :param known: filled as it goes
    """

    def __init__(
        self, settings: SerializationSettings, options: Options | None = None, known: Entities | None = None
    ) -> None:
        self.settings = settings
        self.known: Entities = OrderedDict() if known is None else known
        self._scope = Scope(settings, options or Options(), self.add)

    def add(self, entity: Any, settings: SerializationSettings | None = None) -> Any:
        """Return the message of an entity; it is made when it is first asked for.

        :param settings: in place of the serialization's own, for what a dynamic task may call
        """
        if entity in self.known:
            return self.known[entity]
        scope = self._scope if settings is None else self._scope.with_settings(settings)
        if isinstance(entity, ReferenceEntity):
            message: Any = entity.id
        elif isinstance(entity, PythonTask):
            message = task_spec(scope, entity)
        elif isinstance(entity, WorkflowBase):
            message = workflow_spec(scope, entity)
        elif isinstance(entity, LaunchPlan):
            message = launch_plan_message(scope, entity)
        elif hasattr(entity, "registered_id"):
            message = entity.registered_id
        else:
            raise ValueError(f"Non serializable type found {type(entity)} Entity {entity}")
        self.known[entity] = message
        return message

    def add_all(self) -> Entities:
        """Add every task, workflow with its default launch plan, and launch plan of this process."""
        for entity in whole_program():
            self.add(entity)
        return self.known


def whole_program() -> Iterator[Any]:
    """Yield every task, workflow with its default launch plan, and launch plan of this process."""
    ctx = FlyteContextManager.current_context()
    for entity in list(FlyteEntities.entities):
        if isinstance(entity, PythonTask | WorkflowBase | LaunchPlan):
            yield entity
        if isinstance(entity, WorkflowBase):
            yield LaunchPlan.get_default_launch_plan(ctx, entity)
        as_workflow = getattr(entity, "get_as_workflow", None)
        if as_workflow is not None:
            yield LaunchPlan.get_default_launch_plan(ctx, as_workflow())
