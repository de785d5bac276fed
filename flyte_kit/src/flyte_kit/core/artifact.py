"""Artifacts: names for outputs, under which a service finds them; the open version carries them, no more."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flyteidl.core.artifact_id_pb2 import (
    ArtifactID,
    ArtifactKey,
    Granularity,
    InputBindingData,
    LabelValue,
    RuntimeBinding,
)
from flyteidl.core.artifact_id_pb2 import ArtifactQuery as ArtifactQueryMessage
from flyteidl.core.artifact_id_pb2 import Partitions as PartitionsMessage
from flyteidl.core.artifact_id_pb2 import TimePartition as TimePartitionMessage
from flyteidl.core.interface_pb2 import Parameter

from flyte_kit.core.context_manager import FlyteContextManager, OutputMetadata
from flyte_kit.exceptions.user import FlyteValidationException

__all__ = ["Artifact", "ArtifactIDSpecification", "ArtifactQuery", "Granularity", "Inputs"]

MOST_PARTITIONS = 10
TIME_PARTITION = "time_partition"
_QUERY_ARGUMENTS = {"project", "domain", "time_partition", "partitions", "tag"}


class InputsBase:
    """``Inputs.x`` stands for the value of the input ``x`` in a partition."""

    def __getattr__(self, name: str) -> InputBindingData:
        if name.startswith("__"):
            raise AttributeError(name)
        return InputBindingData(var=name)


Inputs = InputsBase()


def _at_run_time() -> LabelValue:
    return LabelValue(runtime_binding=RuntimeBinding())


def _label(key: str, value: Any) -> LabelValue:
    if isinstance(value, InputBindingData):
        return LabelValue(input_binding=value)
    if isinstance(value, LabelValue):
        return value
    if isinstance(value, str):
        return LabelValue(static_value=value)
    raise ValueError(f"Partition key {key} needs to be input binding data or static string, not {value}")


def _time(value: Any) -> LabelValue:
    if isinstance(value, InputBindingData):
        return LabelValue(input_binding=value)
    if isinstance(value, datetime.datetime):
        result = LabelValue()
        result.time_value.FromDatetime(value)
        return result
    raise ValueError(f"Time partition needs to be input binding data or static string, not {value}")


@dataclass(frozen=True)
class Artifact:
    """A name for an output: ``Annotated[pd.DataFrame, Artifact(name="prices", partition_keys=["region"])]``.

    :ivar project: of the execution that makes it, if None; the same goes for ``domain`` and ``version``
    :ivar time_partitioned: whether it is kept by time
    :ivar partition_keys: up to ten names by which it is kept
    :ivar partitions: values by key
    """

    project: str | None = None
    domain: str | None = None
    name: str | None = None
    version: str | None = None
    time_partitioned: bool = False
    time_partition: datetime.datetime | None = None
    time_partition_granularity: int | None = None
    partition_keys: list[str] | None = None
    partitions: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("Can't instantiate an Artifact without a name.")
        if self.partitions and not self.partition_keys:
            object.__setattr__(self, "partition_keys", list(self.partitions))
        if len(self.partition_keys or ()) > MOST_PARTITIONS:
            raise ValueError("There is a hard limit of 10 partition keys per artifact currently.")

    @property
    def granularity(self) -> int:
        """How fine its time partition is; a day without a setting."""
        return self.time_partition_granularity or Granularity.DAY

    def __call__(self, *args: Any, **kwargs: Any) -> ArtifactIDSpecification:
        """Tie partitions to values or to inputs: ``Prices(region=Inputs.region)``."""
        if args:
            raise ValueError("Cannot set partition values by position")
        return ArtifactIDSpecification(self).bind_partitions(**kwargs)

    def to_partial_artifact_id(self) -> ArtifactID:
        """Return the artifact as an interface has it, with every partition decided at run time."""
        return self().to_partial_artifact_id()

    def create_from(self, o: Any, *args: Any, **kwargs: Any) -> Any:
        """Say partitions of an output while the task runs; return the output.

        :param args: further facts, each with ``serialize_to_string(ctx, name)``
        """
        unbound = [key for key in self.partition_keys or () if key not in kwargs]
        if self.time_partitioned and TIME_PARTITION not in kwargs:
            unbound.append(TIME_PARTITION)
        if unbound:
            raise ValueError(f"Artifact {self.name} requires partitions {unbound}")
        tracker = FlyteContextManager.current_context().output_metadata_tracker
        if tracker is not None:
            time = kwargs.pop(TIME_PARTITION, None)
            tracker.add(o, OutputMetadata(self, kwargs or None, time, list(args) or None))
        return o

    def query(
        self,
        project: str | None = None,
        domain: str | None = None,
        time_partition: Any = None,
        partitions: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> ArtifactQuery:
        """Return a query, to be an input's default.

        :param partitions: values by key; or each as an argument of its own
        """
        clash = _QUERY_ARGUMENTS & set(self.partition_keys or ())
        if clash:
            raise ValueError(f"There are conflicting partition key names {sorted(clash)}: pass a partitions dictionary")
        if partitions and kwargs:
            raise ValueError("Please either specify kwargs or a partitions object not both")
        given = {key: _label(key, value) for key, value in (partitions or kwargs or self.partitions or {}).items()}
        time = _time(time_partition) if time_partition is not None else None
        return ArtifactQuery(self, project or self.project, domain or self.domain, given, time)

    def to_id_idl(self) -> ArtifactID:
        """Return the artifact's id as the wire has it."""
        key = ArtifactKey(project=self.project or "", domain=self.domain or "", name=self.name or "")
        return ArtifactID(artifact_key=key, version=self.version or "")

    @property
    def concrete_artifact_id(self) -> ArtifactID:
        """The id of one artifact.

        :raises ValueError: if a part of it is not known
        """
        if not (self.project and self.domain and self.version):
            raise ValueError("Cannot create artifact id without name, project, domain, version")
        return self.to_id_idl()

    def set_parameter(self, parameter: Parameter) -> None:
        """Make this the default of a launch plan's parameter: one artifact if it has a version, else a query."""
        if self.version:
            parameter.artifact_id.CopyFrom(self.concrete_artifact_id)
        else:
            query = self.query()
            if not query.bound:
                raise FlyteValidationException(f"Cannot use default query with artifact {self.name}")
            query.set_parameter(parameter)

    def __hash__(self) -> int:
        return hash((self.project, self.domain, self.name, self.version))


@dataclass
class ArtifactIDSpecification:
    """An artifact with its partitions tied to values or to inputs."""

    artifact: Artifact
    partitions: dict[str, LabelValue] = field(default_factory=dict)
    time: LabelValue | None = None

    def __call__(self, **kwargs: Any) -> ArtifactIDSpecification:
        """Tie further partitions."""
        return self.bind_partitions(**kwargs)

    def bind_partitions(self, **kwargs: Any) -> ArtifactIDSpecification:
        """Tie further partitions; those that are not tied are decided at run time."""
        artifact = self.artifact
        if TIME_PARTITION in kwargs:
            if not artifact.time_partitioned:
                raise ValueError("Cannot bind time partition to non-time partitioned artifact")
            self.time = _time(kwargs.pop(TIME_PARTITION))
        keys = artifact.partition_keys or []
        unknown = [key for key in kwargs if key not in keys]
        if unknown:
            raise ValueError(f"Partition key {unknown[0]} not found in {keys}")
        self.partitions.update({key: _label(key, value) for key, value in kwargs.items()})
        return self

    def to_partial_artifact_id(self) -> ArtifactID:
        """Return the artifact as an interface has it."""
        artifact = self.artifact
        result = artifact.to_id_idl()
        for key in artifact.partition_keys or ():
            result.partitions.value[key].CopyFrom(self.partitions.get(key) or _at_run_time())
        if artifact.time_partitioned:
            granularity = artifact.granularity if self.time is not None else Granularity.DAY
            value = self.time or _at_run_time()
            result.time_partition.CopyFrom(TimePartitionMessage(value=value, granularity=granularity))
        return result


@dataclass(frozen=True)
class ArtifactQuery:
    """The newest artifact with these partitions."""

    artifact: Artifact
    project: str | None
    domain: str | None
    partitions: Mapping[str, LabelValue]
    time: LabelValue | None

    @property
    def bound(self) -> bool:
        """Whether every partition has a value."""
        missing = set(self.artifact.partition_keys or ()) - set(self.partitions)
        return not missing and not (self.artifact.time_partitioned and self.time is None)

    def to_flyte_idl(self) -> ArtifactQueryMessage:
        """Return the query as the wire has it."""
        key = ArtifactKey(name=self.artifact.name or "", project=self.project or "", domain=self.domain or "")
        result = ArtifactID(artifact_key=key)
        if self.partitions:
            result.partitions.CopyFrom(PartitionsMessage(value=dict(self.partitions)))
        if self.time is not None:
            time = TimePartitionMessage(value=self.time, granularity=self.artifact.granularity)
            result.time_partition.CopyFrom(time)
        return ArtifactQueryMessage(artifact_id=result)

    def set_parameter(self, parameter: Parameter) -> None:
        """Make this the default of a launch plan's parameter."""
        parameter.artifact_query.CopyFrom(self.to_flyte_idl())
