"""Tasks that are found by their place among those that an object holds."""

from __future__ import annotations

from typing import Any

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import TaskResolverMixin
from flyte_kit.core.tracker import TrackedInstance


class ClassStorageTaskResolver(TrackedInstance, TaskResolverMixin):
    """Holds tasks in the order in which they were added; loading repeats that order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.mapping: list[Any] = []
        super().__init__(*args, **kwargs)

    def name(self) -> str:
        """Return the resolver's name."""
        return "ClassStorageTaskResolver"

    def get_all_tasks(self) -> list[Any]:
        """Return the tasks that it holds."""
        return self.mapping

    def add(self, t: Any) -> None:
        """Take one more."""
        self.mapping.append(t)

    def load_task(self, loader_args: list[str]) -> Any:
        """Return the task of a number."""
        if len(loader_args) != 1:
            raise RuntimeError(f"Unable to load task, received ambiguous loader args {loader_args}, expected only one")
        return self.get_all_tasks()[int(loader_args[0])]

    def loader_args(self, settings: SerializationSettings, t: Any) -> list[str]:
        """Return the number of a task."""
        for index, known in enumerate(self.mapping):
            if known is t:
                return [str(index)]
        raise ValueError(f"{t.name}: no such task")
