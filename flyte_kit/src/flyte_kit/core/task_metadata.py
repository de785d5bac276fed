"""Metadata of tasks."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flyteidl.core.literals_pb2 import RetryStrategy
from flyteidl.core.tasks_pb2 import RuntimeMetadata
from flyteidl.core.tasks_pb2 import TaskMetadata as TaskMetadataMessage
from google.protobuf.wrappers_pb2 import BoolValue

from flyte_kit.core.constants import WIRE_VERSION
from flyte_kit.core.node import as_timedelta


@dataclass
class TaskMetadata:
    """How a task is run.

    :ivar cache: whether results are kept
    :ivar cache_serialize: whether equal runs at the same time wait for one
    :ivar cache_version: results are found again under the same version only
    :ivar cache_ignore_input_vars: inputs that do not count
    :ivar interruptible: whether it may run on machines that can be taken away; None leaves it to the workflow
    :ivar deprecated: message for those who use it
    :ivar retries: after a recoverable failure
    :ivar timeout: of one attempt; a number means seconds
    :ivar pod_template_name: of a PodTemplate of the cluster
    """

    cache: bool = False
    cache_serialize: bool = False
    cache_version: str = ""
    cache_ignore_input_vars: tuple[str, ...] = ()
    interruptible: bool | None = None
    deprecated: str = ""
    retries: int = 0
    timeout: datetime.timedelta | int | None = None
    pod_template_name: str | None = None
    generates_deck: bool = False
    is_eager: bool = False
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if self.timeout:
            self.timeout = as_timedelta(self.timeout)
        if self.cache and not self.cache_version:
            raise ValueError("Caching is enabled ``cache=True`` but ``cache_version`` is not set.")
        if self.cache_serialize and not self.cache:
            raise ValueError("Cache serialize is enabled ``cache_serialize=True`` but ``cache`` is not enabled.")
        if self.cache_ignore_input_vars and not self.cache:
            raise ValueError(
                f"Cache ignore input vars are specified ``cache_ignore_input_vars={self.cache_ignore_input_vars}`` "
                "but ``cache`` is not enabled."
            )

    @property
    def duration(self) -> datetime.timedelta | None:
        """The time limit."""
        return as_timedelta(self.timeout) if self.timeout else None

    def message(self) -> TaskMetadataMessage:
        """Return the metadata as the wire has them."""
        result = TaskMetadataMessage(
            discoverable=self.cache,
            runtime=RuntimeMetadata(type=RuntimeMetadata.FLYTE_SDK, version=WIRE_VERSION, flavor="python"),
            retries=RetryStrategy(retries=self.retries),
            discovery_version=self.cache_version,
            deprecated_error_message=self.deprecated,
            cache_serializable=self.cache_serialize,
            generates_deck=BoolValue(value=self.generates_deck),
            pod_template_name=self.pod_template_name or "",
            cache_ignore_input_vars=self.cache_ignore_input_vars,
            is_eager=self.is_eager,
        )
        result.metadata.SetInParent()
        result.metadata.labels.update(self.labels or {})
        result.metadata.annotations.update(self.annotations or {})
        if self.duration is not None:
            result.timeout.FromTimedelta(self.duration)
        if self.interruptible is not None:
            result.interruptible = self.interruptible
        return result
