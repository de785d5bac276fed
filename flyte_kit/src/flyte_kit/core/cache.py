"""Caching of task results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, runtime_checkable

from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import hashlib
else:
    hashlib = deferred("hashlib")

if TYPE_CHECKING:
    from flyte_kit.core.pod_template import PodTemplate
    from flyte_kit.image_spec.image_spec import ImageSpec

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class VersionParameters(Generic[P, R]):
    """What a cache policy may look at.

    :ivar func: the task's function
    """

    func: Callable[P, R]
    container_image: str | ImageSpec | None = None
    pod_template: PodTemplate | None = None
    pod_template_name: str | None = None


@runtime_checkable
class CachePolicy(Protocol):
    """Makes a version from what a task is made of, so that results are kept as long as that stays the same."""

    def get_version(self, salt: str, params: VersionParameters[Any, Any]) -> str:
        """Return the version."""
        ...


default_policies: list[CachePolicy] = []
"""Policies of ``Cache()`` and ``cache=True`` without a version; a plugin may fill it."""


@dataclass(frozen=True)
class Cache:
    """How results of a task are kept.

    :ivar version: results are found again under the same version only; made by the policies without one
    :ivar serialize: of equal runs at the same time, one does the work and the others wait
    :ivar ignored_inputs: names that do not count
    :ivar salt: changes every version that policies make
    """

    version: str | None = None
    serialize: bool = False
    ignored_inputs: tuple[str, ...] | str = ()
    salt: str = ""
    policies: Sequence[CachePolicy] | CachePolicy | None = None

    def get_ignored_inputs(self) -> tuple[str, ...]:
        """Return the names that do not count."""
        return (self.ignored_inputs,) if isinstance(self.ignored_inputs, str) else tuple(self.ignored_inputs)

    def get_version(self, params: VersionParameters[Any, Any]) -> str:
        """Return the version: the given one, or a hash of what the policies say.

        :raises ValueError: if there is neither
        """
        if self.version is not None:
            return self.version
        given = self.policies if self.policies is not None else default_policies
        policies = list(given) if isinstance(given, Sequence) else [given]
        if not policies:
            raise ValueError(
                "If version is not defined then at least one cache policy needs to be set: Cache(version=…)"
            )
        joined = "".join(policy.get_version(self.salt, params) for policy in policies)
        return hashlib.sha256(joined.encode()).hexdigest()
