"""What installed plugins say of themselves in their metadata: one scan, nothing imported."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from importlib_metadata import Distribution, EntryPoint
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from flyte_core.hookspecs import API_VERSION

PLUGINS = "flyte.plugins"
TASK_TYPES = "flyte.task_types"
STORAGE = "flyte.storage"
API_DISTRIBUTION = "flyte-core"
EVENT_SINKS = "flyte.event_sinks"
SYSTEMS = {
    "Linux": "Operating System :: POSIX",
    "Darwin": "Operating System :: MacOS",
    "Windows": "Operating System :: Microsoft",
}


@dataclass(frozen=True, slots=True)
class PluginMetadata:
    """One entry point of the group ``flyte.plugins``, and what its distribution claims.

    :ivar name: the plugin's name, by which configuration and commands know it
    :ivar task_types: task types claimed
    :ivar schemes: URL schemes claimed
    :ivar event_sinks: names of event sinks claimed
    :ivar problem: why it cannot be used, known before import; empty when nothing speaks against it
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint
    task_types: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    event_sinks: tuple[str, ...] = ()
    problem: str = ""
    summary: str = field(default="", compare=False)


def scan() -> list[PluginMetadata]:
    """Return all plugins of this environment, by name. Where a distribution is found twice, the first on the path
    counts, as for an import.
    """
    found: dict[str, list[PluginMetadata]] = {}
    seen: set[str] = set()
    for distribution in Distribution.discover():
        name = _normal(distribution.metadata.get("Name") or "")
        if not name or name in seen:
            continue
        seen.add(name)
        points = [point for point in distribution.entry_points if point.group == PLUGINS]
        for point in points:
            found.setdefault(point.name, []).append(_describe(distribution, point))
    plugins = []
    for name, same in sorted(found.items()):
        if len(same) == 1:
            plugins += same
            continue
        both = " and ".join(f"{plugin.distribution} {plugin.version}" for plugin in same)
        plugins += [replace(plugin, problem=f"the name {name!r} is used by {both}: uninstall one") for plugin in same]
    return plugins


def _describe(distribution: Distribution, point: EntryPoint) -> PluginMetadata:
    claims = [entry for entry in distribution.entry_points if entry.value == point.name]
    return PluginMetadata(
        name=point.name,
        distribution=distribution.metadata["Name"],
        version=distribution.version,
        entry_point=point,
        task_types=tuple(sorted(entry.name for entry in claims if entry.group == TASK_TYPES)),
        schemes=tuple(sorted(entry.name.lower() for entry in claims if entry.group == STORAGE)),
        event_sinks=tuple(sorted(entry.name for entry in claims if entry.group == EVENT_SINKS)),
        problem=_problem(distribution),
        summary=distribution.metadata.get("Summary") or "",
    )


def _problem(distribution: Distribution) -> str:
    """Return what in the distribution's metadata forbids to use it here."""
    metadata = distribution.metadata
    try:
        python = metadata.get("Requires-Python")
        if python and platform.python_version() not in SpecifierSet(python):
            return f"it needs Python {python}, this is {platform.python_version()}"
    except InvalidSpecifier as error:
        return f"its metadata is malformed: {error}"
    systems = [text for text in metadata.get_all("Classifier") or () if text.startswith("Operating System :: ")]
    independent = "Operating System :: OS Independent"
    here = SYSTEMS.get(platform.system(), "")
    if systems and independent not in systems and not any(text.startswith(here) for text in systems):
        return f"it is for {', '.join(text.removeprefix('Operating System :: ') for text in systems)}"
    return _api_problem(distribution.requires or ())


def _api_problem(requirements: Iterable[str]) -> str:
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            return f"its metadata is malformed: {error}"
        if _normal(requirement.name) != API_DISTRIBUTION:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if API_VERSION not in requirement.specifier:
            return f"it needs flyte-core {requirement.specifier}, this is {API_VERSION}: install a version that fits"
    return ""


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
