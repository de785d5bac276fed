"""The arguments of ``@task``, for the decorators that pass them on."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from flyte_kit.core.base_task import TaskMetadata, TaskResolverMixin
    from flyte_kit.core.cache import Cache
    from flyte_kit.core.documentation import Documentation
    from flyte_kit.core.pod_template import PodTemplate
    from flyte_kit.core.resources import Resources
    from flyte_kit.core.security import Secret
    from flyte_kit.deck.fields import DeckField
    from flyte_kit.extras.accelerators import BaseAccelerator
    from flyte_kit.image_spec.image_spec import ImageSpec


class ContainerArguments(TypedDict, total=False):
    """What says in which container a task runs, and what is shown of it."""

    container_image: str | ImageSpec | None
    environment: dict[str, str] | None
    requests: Resources | None
    limits: Resources | None
    resources: Resources | None
    secret_requests: list[Secret] | None
    task_resolver: TaskResolverMixin | None
    docs: Documentation | None
    disable_deck: bool | None
    enable_deck: bool | None
    deck_fields: tuple[DeckField, ...] | None
    pod_template: PodTemplate | None
    pod_template_name: str | None
    accelerator: BaseAccelerator | None
    pickle_untyped: bool
    shared_memory: bool | str | None
    labels: dict[str, str] | None
    annotations: dict[str, str] | None


class TaskArguments(ContainerArguments, total=False):
    """Arguments of ``@task`` by name; what each means is said by :func:`flyte_kit.core.task.task`."""

    task_config: Any
    cache: bool | Cache
    retries: int
    interruptible: bool | None
    deprecated: str
    timeout: datetime.timedelta | int
    node_dependency_hints: Iterable[Any] | None
    cache_version: str | None
    cache_serialize: bool | None
    cache_ignore_input_vars: tuple[str, ...] | None


class EagerArguments(ContainerArguments, total=False):
    """Arguments of ``@eager`` by name: retries, caching and the like stand in the metadata."""

    metadata: TaskMetadata
