"""What installed plugins say of themselves in their metadata: one scan, nothing imported."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from importlib_metadata import EntryPoint, distributions
from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from flyte_core.hookspecs import API_VERSION

PLUGINS = "flyte.plugins"
TASK_TYPES = "flyte.task_types"
STORAGE = "flyte.storage"
EVENT_SINKS = "flyte.event_sinks"
API_DISTRIBUTION = "flyte-core"
RESERVED_NAMES = frozenset({"disabled", "task_types", "storage"})
"""Keys of the section ``plugins`` that are not plugins."""
_CLAIMS = (TASK_TYPES, STORAGE, EVENT_SINKS)
_SYSTEMS = {
    "Linux": "Operating System :: POSIX",
    "Darwin": "Operating System :: MacOS",
    "Windows": "Operating System :: Microsoft",
}
_ANY_SYSTEM = "Operating System :: OS Independent"


class _Headers(Protocol):
    def get(self, name: str, /) -> str | None: ...

    def get_all(self, name: str, /) -> list[str] | None: ...


class _Distribution(Protocol):
    """What is read of an installed distribution; ``importlib_metadata`` promises no more."""

    @property
    def metadata(self) -> _Headers: ...

    @property
    def version(self) -> str: ...

    @property
    def requires(self) -> list[str] | None: ...

    @property
    def entry_points(self) -> Iterable[EntryPoint]: ...

    def read_text(self, filename: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class PluginMetadata:
    """One entry point of the group ``flyte.plugins``, and what its distribution claims.

    :ivar name: the plugin's name, by which configuration and commands know it
    :ivar entry_point: None where the distribution claims something for a plugin that it does not have
    :ivar task_types: task types claimed
    :ivar schemes: URL schemes claimed
    :ivar event_sinks: names of event sinks claimed
    :ivar problem: why it cannot be used, known before import; empty when nothing speaks against it
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint | None
    task_types: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    event_sinks: tuple[str, ...] = ()
    problem: str = ""
    summary: str = field(default="", compare=False)


def scan(path: list[str] | None = None) -> list[PluginMetadata]:
    """Return all plugins of this environment, by name. Where a distribution is found twice, the first on the path
    counts, as for an import. Metadata that cannot be read is that plugin's problem; other packages are not looked at.

    :param path: folders to look into instead of ``sys.path``
    """
    found: dict[str, list[PluginMetadata]] = {}
    seen: set[str] = set()
    for distribution in distributions() if path is None else distributions(path=path):
        if "[flyte." not in (distribution.read_text("entry_points.txt") or ""):
            continue
        name = distribution.metadata.get("Name") or ""
        if canonicalize_name(name) in seen:
            continue
        seen.add(canonicalize_name(name))
        for plugin in _plugins_of(distribution, name):
            found.setdefault(plugin.name, []).append(plugin)
    return [plugin for name in sorted(found) for plugin in _apart(found[name])]


def _apart(same: list[PluginMetadata]) -> list[PluginMetadata]:
    """Refuse plugins of one name: nobody could tell which one a claim or the configuration means."""
    if len(same) == 1:
        return same
    both = " and ".join(f"{plugin.distribution} {plugin.version}" for plugin in same)
    return [replace(each, problem=f"the name {each.name!r} is used by {both}: uninstall one") for each in same]


def _plugins_of(distribution: _Distribution, name: str) -> Iterator[PluginMetadata]:
    version = distribution.metadata.get("Version") or ""
    try:
        points = [point for point in distribution.entry_points if point.group in (PLUGINS, *_CLAIMS)]
    except (TypeError, ValueError) as error:
        problem = f"its entry_points.txt is malformed: {error}"
        yield PluginMetadata(name, name, version, None, problem=problem)
        return
    plain = PluginMetadata("", name, version, None, summary=distribution.metadata.get("Summary") or "")
    problem = _problem(distribution)
    own = [point for point in points if point.group == PLUGINS]
    for point in own:
        reserved = f"the name {point.name!r} is reserved in the configuration" if point.name in RESERVED_NAMES else ""
        plugin = replace(plain, name=point.name, entry_point=point, problem=problem or reserved)
        yield _with_claims(plugin, points)
    missing = {point.value for point in points if point.group != PLUGINS} - {point.name for point in own}
    for claimed in sorted(missing):
        problem = f"its metadata claims things for it, but has no entry point {claimed!r} in group {PLUGINS}"
        yield _with_claims(replace(plain, name=claimed, problem=problem), points)


def _with_claims(plugin: PluginMetadata, points: Iterable[EntryPoint]) -> PluginMetadata:
    return replace(
        plugin,
        task_types=_claimed(points, TASK_TYPES, plugin.name),
        schemes=_claimed(points, STORAGE, plugin.name),
        event_sinks=_claimed(points, EVENT_SINKS, plugin.name),
    )


def _claimed(points: Iterable[EntryPoint], group: str, plugin: str) -> tuple[str, ...]:
    names = {point.name for point in points if point.group == group and point.value == plugin}
    return tuple(sorted({name.lower() for name in names} if group == STORAGE else names))


def _problem(distribution: _Distribution) -> str:
    """Return what in the distribution's metadata forbids to use it here."""
    try:
        return (
            _python_problem(distribution.metadata.get("Requires-Python"))
            or _system_problem(distribution.metadata.get_all("Classifier") or [])
            or _api_problem(distribution.requires or ())
        )
    except (InvalidSpecifier, InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName) as error:
        return f"its metadata is malformed: {error}"


def _python_problem(required: str | None) -> str:
    here = platform.python_version()
    if not required or SpecifierSet(required).contains(here, prereleases=True):
        return ""
    return f"it needs Python {required}, this is {here}"


def _system_problem(classifiers: list[str]) -> str:
    systems = [text for text in classifiers if text.startswith("Operating System :: ")]
    here = _SYSTEMS.get(platform.system(), "Operating System ::")
    if not systems or _ANY_SYSTEM in systems or any(_covers(text, here) for text in systems):
        return ""
    names = ", ".join(text.removeprefix("Operating System :: ") for text in systems)
    return f"it is for {names}, this is {platform.system()}"


def _covers(classifier: str, here: str) -> bool:
    """Tell whether a classifier is for this system; "POSIX :: Linux" is, "POSIX :: AIX" is not, on Linux."""
    if not classifier.startswith(here):
        return False
    rest = classifier.removeprefix(here).removeprefix(" :: ")
    return here != _SYSTEMS["Linux"] or rest in ("", "Linux", "Other")


def _api_problem(requirements: Iterable[str]) -> str:
    for text in requirements:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) != API_DISTRIBUTION:
            continue
        applies = requirement.marker is None or requirement.marker.evaluate()
        if applies and not requirement.specifier.contains(API_VERSION, prereleases=True):
            return f"it needs flyte-core {requirement.specifier}, this is {API_VERSION}: install a version that fits"
    return ""
