"""Tasks, workflows and launch plans of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from flyte_cli.programs.failures import failure
from flyte_core.errors import FlyteError, NotFound
from flyte_kit.core.base_task import PythonTask
from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.core.reference_entity import ReferenceEntity
from flyte_kit.core.workflow import WorkflowBase
from flyte_kit.registration.loading import load_packages, load_paths

Entity: TypeAlias = PythonTask | WorkflowBase | LaunchPlan  # type: ignore[type-arg]


def load_file(path: Path) -> ModuleType:
    """Import a file as the module that tasks will import it as.

    :raises NotFound: if it is no Python file
    :raises click.ClickException: if importing it fails; its traceback is printed first
    """
    if path.suffix != ".py":
        raise NotFound(f"{path} is no Python file; give the path of one, for example workflows/train.py")
    return load([str(path)])[0]


def load(sources: Iterable[str], on_error: Callable[[Path, Exception], None] | None = None) -> list[ModuleType]:
    """Import files, the Python files below folders, and packages by name.

    :param on_error: see :func:`flyte_kit.registration.loading.load_paths`
    :raises click.ClickException: if one cannot be imported; its traceback is printed first
    """
    modules: list[ModuleType] = []
    for source in sources:
        path = Path(source)
        try:
            if path.exists() or path.suffix == ".py" or "/" in source:
                modules += load_paths([path], on_error=on_error)
            else:
                modules += load_packages([source])
        except FlyteError:
            raise
        except Exception as error:  # the border to the user's code: whatever importing it raises is shown
            raise failure(f"{source} cannot be imported", error) from error
    return modules


def entities_of(module: ModuleType) -> dict[str, Entity]:
    """Return what can be run, by the name of its variable, in the order of the file."""
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, PythonTask | WorkflowBase | LaunchPlan) and not isinstance(value, ReferenceEntity):
            found[name] = value
    return found


def kind_of(entity: Entity) -> str:
    """Return what users call it."""
    if isinstance(entity, WorkflowBase):
        return "workflow"
    return "launch plan" if isinstance(entity, LaunchPlan) else "task"


def description_of(entity: Any) -> str:
    """Return the first line of what its author says of it."""
    workflow = getattr(entity, "workflow", entity)
    function = getattr(workflow, "task_function", None) or getattr(workflow, "function", None)
    text = (getattr(function, "__doc__", None) or "").strip()
    return text.splitlines()[0] if text else ""
