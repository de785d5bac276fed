"""What registration and launching may change of a launch plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flyteidl.admin.common_pb2 import Annotations as AnnotationsMessage
from flyteidl.admin.common_pb2 import AuthRole, RawOutputDataConfig
from flyteidl.admin.common_pb2 import Labels as LabelsMessage
from flyteidl.core.security_pb2 import Identity, SecurityContext

from flyte_kit.core.notification import Notification

__all__ = ["Annotations", "AuthRole", "Labels", "Options", "RawOutputDataConfig"]


class Labels(dict[str, str]):
    """Labels of an execution's resources, by key."""


class Annotations(dict[str, str]):
    """Annotations of an execution's resources, by key."""


@dataclass
class Options:
    """Changes to a launch plan; None leaves what the plan says.

    :ivar raw_output_data_config: prefix of raw outputs
    :ivar max_parallelism: nodes at the same time
    :ivar disable_notifications: at launch only
    """

    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    raw_output_data_config: RawOutputDataConfig | None = None
    security_context: SecurityContext | None = None
    max_parallelism: int | None = None
    notifications: list[Notification] | None = None
    disable_notifications: bool | None = None
    overwrite_cache: bool | None = None
    file_uploader: Any = None

    @classmethod
    def default_from(cls, k8s_service_account: str | None = None, raw_data_prefix: str | None = None) -> Options:
        """Return options for a service account and a prefix of raw outputs."""
        return cls(
            security_context=SecurityContext(run_as=Identity(k8s_service_account=k8s_service_account))
            if k8s_service_account
            else None,
            raw_output_data_config=RawOutputDataConfig(output_location_prefix=raw_data_prefix)
            if raw_data_prefix
            else None,
        )


def labels_message(values: dict[str, str] | None) -> LabelsMessage:
    """Return labels as the wire has them."""
    return LabelsMessage(values=values or {})


def annotations_message(values: dict[str, str] | None) -> AnnotationsMessage:
    """Return annotations as the wire has them."""
    return AnnotationsMessage(values=values or {})
