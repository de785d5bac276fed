"""Secrets that a task asks for, and who an execution runs as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from flyteidl.core.security_pb2 import Identity, SecurityContext
from flyteidl.core.security_pb2 import Secret as SecretMessage

__all__ = ["Identity", "Secret", "SecurityContext"]


class _MountType(Enum):
    ANY = SecretMessage.ANY
    ENV_VAR = SecretMessage.ENV_VAR
    FILE = SecretMessage.FILE


@dataclass(frozen=True)
class Secret:
    """A secret, by its names in the cluster's store.

    :ivar mount_requirement: variable, file, or what the cluster prefers
    :ivar env_var: name of the variable, in place of the usual one
    """

    group: str | None = None
    key: str | None = None
    group_version: str | None = None
    mount_requirement: _MountType = _MountType.ANY
    env_var: str | None = None

    MountType = _MountType

    def __post_init__(self) -> None:
        if self.group is None:
            raise ValueError("Group is a required parameter of Secret: clusters keep secrets in groups")

    def message(self) -> SecretMessage:
        """Return the secret as the wire has it."""
        return SecretMessage(
            group=self.group or "",
            key=self.key or "",
            group_version=self.group_version or "",
            mount_requirement=self.mount_requirement.value,
            env_var=self.env_var or "",
        )
