"""From sources to the messages of a registration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.task_pb2 import TaskSpec

from flyte_cli.programs.entities import load
from flyte_core.errors import NotFound
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.context_manager import FlyteEntities
from flyte_kit.core.launch_plan import LaunchPlan as Plan
from flyte_kit.core.options import Options
from flyte_kit.registration.sources import CopyFileDetection, project_root
from flyte_kit.registration.tarball import Tarball, pack
from flyte_kit.registration.versions import with_code
from flyte_kit.serialization.registrable import Registrable, identifier_of, registrable_entities


@dataclass(frozen=True, slots=True)
class Program:
    """Sources that are imported.

    :ivar root: folder that module names count from
    :ivar plans: names of launch plans that want to be active once they are registered
    """

    root: Path
    plans: Sequence[str]

    def pack(self, copy: CopyFileDetection, *, deref_symlinks: bool = False) -> Tarball | None:
        """Return the code that goes along; None for none."""
        if copy is CopyFileDetection.NO_COPY:
            return None
        return pack(self.root, copy, deref_symlinks=deref_symlinks)


def read_program(sources: Sequence[str], on_error: Callable[[Path, Exception], None] | None = None) -> Program:
    """Import sources: files, folders and packages by name.

    :raises NotFound: if they define nothing, or a path is not there
    :raises click.ClickException: if one cannot be imported
    """
    modules = load(sources, on_error)
    if not FlyteEntities.entities:
        raise NotFound(f"{', '.join(sources)}: no task, workflow or launch plan is defined there")
    paths = [Path(source) for source in sources if Path(source).exists()]
    files = [Path(module.__file__) for module in modules if module.__file__]
    roots = {project_root(path).resolve() for path in paths or files}
    root = Path(os.path.commonpath(roots))
    plans = [each.name for each in FlyteEntities.entities if isinstance(each, Plan) and each.should_auto_activate]
    return Program(root, plans)


def settings_with(
    settings: SerializationSettings, code: Tarball | None, location: str, destination: str, *, root: Path
) -> SerializationSettings:
    """Return settings whose tasks fetch the code, with a version made of it where there is none.

    :param root: folder of the code; without code to fetch, images that are built get it from there
    :raises click.UsageError: if there is neither code nor version
    """
    if code is not None:
        return with_code(settings, code, location, destination)
    if not settings.version:
        raise click.UsageError("--copy none needs --version: without code there is nothing to make one of.")
    return replace(settings, source_root=str(root))


def messages_of(settings: SerializationSettings, options: Options | None = None) -> list[Registrable]:
    """Return what is to be registered, in order."""
    return registrable_entities(settings, options)


def kind_of(message: Registrable) -> str:
    """Return what users call it."""
    if isinstance(message, TaskSpec):
        return "task"
    return "launch plan" if isinstance(message, LaunchPlan) else "workflow"


def name_of(message: Registrable) -> str:
    """Return its name."""
    return str(identifier_of(message).name)


def counted(messages: Iterable[Registrable]) -> str:
    """Return how many of each kind there are, in words."""
    counts: dict[str, int] = {}
    for message in messages:
        counts[kind_of(message)] = counts.get(kind_of(message), 0) + 1
    return ", ".join(f"{count} {kind}{'s' if count != 1 else ''}" for kind, count in counts.items()) or "nothing"
