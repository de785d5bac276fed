"""Tasks that are in no file: those of a notebook or a console, which travel as a pickle."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flyte_core.errors import TooLarge
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import TaskResolverMixin
from flyte_kit.core.tracker import TrackedInstance
from flyte_kit.exceptions.user import FlyteValidationException

PICKLE_NAME = "pkl.gz"
LARGEST_PICKLE = 150 * 1024 * 1024


@dataclass(frozen=True)
class PickledTasks:
    """What a pickle holds.

    :ivar python_version: that wrote it, e.g. ``3.11``; no other can read it
    :ivar tasks: by name
    """

    python_version: str
    tasks: dict[str, Any]


class NotebookTaskResolver(TrackedInstance, TaskResolverMixin):
    """Finds a task in the pickle that came along with it."""

    def name(self) -> str:
        """Return the resolver's name."""
        return "DefaultNotebookTaskResolver"

    def load_task(self, loader_args: list[str]) -> Any:
        """Read the pickle, and return the task of ``entity-name N``.

        :raises RuntimeError: if another version of Python wrote it, or it is not there
        """
        _, name, *_ = loader_args
        held = _read(_place())
        if held.python_version != _version():
            raise RuntimeError(
                f"the tasks were pickled by Python {held.python_version}, and this is {_version()}: run them in an"
                " image with the Python of the notebook (container_image)"
            )
        if name not in held.tasks:
            raise RuntimeError(f"there is no task {name} in the pickle; there are {', '.join(sorted(held.tasks))}")
        return held.tasks[name]

    def loader_args(self, settings: SerializationSettings, t: Any) -> list[str]:
        """Return the task's name."""
        return ["entity-name", t.name]

    def get_all_tasks(self) -> list[Any]:
        """Return nothing: tasks are loaded one by one."""
        return []


default_notebook_task_resolver = NotebookTaskResolver()


def pickled(entity: Any) -> tuple[bytes, str]:
    """Return the tasks of an entity as a pickle, and a digest of them; from now on they are found in it.

    :param entity: a task, or a workflow with all that it calls
    :raises FlyteValidationException: naming a task that cannot travel so
    :raises TooLarge: if they are larger than 150 MB
    """
    tasks = {task.name: task for task in _tasks_of(entity)}
    for task in tasks.values():
        task.set_resolver(default_notebook_task_resolver)
    cloudpickle = importlib.import_module("cloudpickle")
    try:
        content: bytes = cloudpickle.dumps(PickledTasks(_version(), tasks))
    except (TypeError, pickle.PicklingError) as error:
        raise FlyteValidationException(f"the tasks {', '.join(tasks)} cannot be pickled: {error}") from error
    compressed = gzip.compress(content, mtime=0)
    if len(compressed) > LARGEST_PICKLE:
        raise TooLarge(f"the tasks {', '.join(tasks)} with what they refer to are larger than 150 MB")
    return compressed, hashlib.md5(content, usedforsecurity=False).hexdigest()


def _tasks_of(entity: Any) -> Iterator[Any]:
    for node in getattr(entity, "nodes", ()):
        yield from _tasks_of(node.flyte_entity)
    workflow = getattr(entity, "workflow", None)
    if workflow is not None:
        yield from _tasks_of(workflow)
    if not hasattr(entity, "set_resolver"):
        return
    mode = getattr(getattr(entity, "execution_mode", None), "name", "DEFAULT")
    if mode != "DEFAULT":
        raise FlyteValidationException(
            f"{entity.name} is {mode.lower()}, and such a task cannot travel as a pickle: put it into a module"
        )
    yield entity


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _place() -> str:
    """Return the pickle's path: in the folder of the code, which is on the module path."""
    for folder in (".", *sys.path):
        path = os.path.join(folder, PICKLE_NAME)
        if os.path.isfile(path):
            return path
    raise RuntimeError(
        f"the pickle with the task, {PICKLE_NAME}, did not come along: there is none in the code's folder"
    )


def _read(path: str) -> PickledTasks:
    with gzip.open(path) as file:
        held = importlib.import_module("cloudpickle").load(file)
    if not isinstance(held, PickledTasks):
        raise RuntimeError(f"{path} is no pickle of tasks of this SDK, but of {type(held)}")  # noqa: TRY004
    return held
