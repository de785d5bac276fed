"""Who claims what among plugins, and how that is told to people."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from flyte_core.plugin_metadata import PluginMetadata

KNOWN_PACKAGES = {
    "container": "flyte-plugin-pod",
    "python-task": "flyte-plugin-pod",
    "raw-container": "flyte-plugin-pod",
    "sidecar": "flyte-plugin-pod",
    "sqlite": "flyte-plugin-pod",
    "eager_failure_handler_task": "flyte-plugin-pod",
    "spark": "flyte-plugin-spark",
    "hive": "flyte-plugin-hive",
    "aws_batch": "flyte-plugin-batch",
    "echo": "flyte-plugin-echo",
    "s3": "flyte-plugin-s3",
}
"""Task type or URL scheme → package that is known to serve it: what an error tells the user to install."""

BUNDLED_PACKAGES = frozenset({"flyte-plugin-pod", "flyte-plugin-s3", "flyte-plugin-echo"})
"""Packages that an installation of the ``flyte`` command brings along: one is missing only where it was removed."""


class ClaimKind(Enum):
    """What a plugin serves exclusively."""

    TASK_TYPE = "task type"
    STORAGE = "URL scheme"

    @property
    def section(self) -> str:
        """Key of the section ``plugins`` that chooses between claimants."""
        return {ClaimKind.TASK_TYPE: "task_types", ClaimKind.STORAGE: "storage"}[self]

    def setting(self, key: str) -> str:
        """Return the setting that chooses a plugin for a key."""
        return f"plugins.{self.section}.{key}"

    def claims(self, plugin: PluginMetadata) -> Sequence[str]:
        """Return what the plugin claims of this kind."""
        return {ClaimKind.TASK_TYPE: plugin.task_types, ClaimKind.STORAGE: plugin.schemes}[self]


class Described(Protocol):
    """A plugin that can say in one line what has become of it."""

    metadata: PluginMetadata

    def describe(self) -> str:
        """Return the line."""
        ...


def contenders(kind: ClaimKind, key: str, records: Sequence[Described]) -> str:
    """Say who claims a key, naming the distributions."""
    if not records:
        return f"{kind.value} {key!r} is claimed by no installed plugin"
    who = " and ".join(f"{r.metadata.name!r} ({r.metadata.distribution} {r.metadata.version})" for r in records)
    return f"{kind.value} {key!r} is claimed by {who}"


def explain_missing(kind: ClaimKind, key: str, claiming: Sequence[Described], installed: Sequence[Described]) -> str:
    """Say why nobody serves a key: its claimants are out of use, or nothing is installed; and what would help."""
    if claiming:
        return "\n".join(f"{kind.value} {key!r}: {record.describe()}" for record in claiming)
    names = ", ".join(record.metadata.name for record in installed) or "none"
    return f"no installed plugin serves {kind.value} {key!r}: {_what_to_install(kind, key)}; installed plugins: {names}"


def _what_to_install(kind: ClaimKind, key: str) -> str:
    package = KNOWN_PACKAGES.get(key)
    if package is None:
        group = {ClaimKind.TASK_TYPE: "flyte.task_types", ClaimKind.STORAGE: "flyte.storage"}[kind]
        return f"install a package that claims it in entry-point group {group}"
    return f"pip install {package}" if package in BUNDLED_PACKAGES else f"{package} serves it: install it"
