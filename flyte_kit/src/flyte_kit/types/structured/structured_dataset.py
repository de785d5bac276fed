"""The user's side of tables, and the two ports through which a data frame library joins."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flyteidl.core.literals_pb2 import StructuredDataset as StructuredDatasetMessage
from flyteidl.core.literals_pb2 import StructuredDatasetMetadata
from flyteidl.core.types_pb2 import StructuredDatasetType

from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager
from flyte_kit.types.plain_form import from_plain, model_schema, to_plain

T = TypeVar("T")
StructuredDatasetFormat = str
PARQUET: StructuredDatasetFormat = "parquet"
CSV: StructuredDatasetFormat = "csv"
GENERIC_FORMAT: StructuredDatasetFormat = ""


@dataclass(init=False, repr=False, eq=False)
class StructuredDataset:
    """A table: a frame that is to be written, or a place that is to be read.

    :param dataframe: the frame
    :param uri: where it is, or is to be written to; below the raw output prefix without one
    :param metadata: its type, where it is known already
    :ivar file_format: e.g. ``parquet``; that of the frame's library without one
    """

    uri: str | None = None
    file_format: str | None = GENERIC_FORMAT

    def __init__(
        self,
        dataframe: Any = None,
        uri: str | None = None,
        metadata: StructuredDatasetMetadata | None = None,
        *,
        file_format: str | None = GENERIC_FORMAT,
        **kwargs: Any,
    ) -> None:
        self.dataframe = dataframe
        self.uri = uri
        self.file_format = file_format
        self.metadata = metadata
        self.literal: StructuredDatasetMessage | None = None
        self.uploaded = False
        self._open_as: Any = None
        self._keys_file = FlyteContextManager.current_context().file_access.keys_file

    @classmethod
    def columns(cls) -> dict[str, Any]:
        """Return the columns that the class states: none."""
        return {}

    @classmethod
    def column_names(cls) -> list[str]:
        """Return the names of the columns that the class states."""
        return list(cls.columns())

    def open(self, dataframe_type: type[T]) -> _Opened[T]:
        """Say as what the table is to be read; then comes :meth:`all` or :meth:`iter`."""
        self._open_as = dataframe_type
        return _Opened(self, dataframe_type)

    def all(self) -> Any:
        """Read the whole table.

        :raises ValueError: without :meth:`open` before
        """
        return _engine().read(self.context, self, self._opened_type())

    def iter(self) -> Iterator[Any]:
        """Read the table part by part, where its decoder can."""
        frames: Iterator[Any] = _engine().iterate(self.context, self, self._opened_type())
        return frames

    @property
    def context(self) -> FlyteContext:
        """The context in which the table is read: with the keys that opened what it came from."""
        return FlyteContextManager.current_context().with_keys_of(self._keys_file)

    def _opened_type(self) -> Any:
        if self._open_as is None:
            raise ValueError("No dataframe type set. Use open() to set the local dataframe type you want to use.")
        return self._open_as

    def _serialize(self) -> dict[str, Any]:
        return to_plain(self)

    @classmethod
    def _deserialize(cls, value: dict[str, Any]) -> Any:
        return from_plain(cls, value if "uri" in value else {"uri": value.get("path")})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Return how pydantic reads, writes and describes a table."""
        return model_schema(cls, "StructuredDataset")


class _Opened(Generic[T]):
    def __init__(self, dataset: StructuredDataset, dataframe_type: type[T]) -> None:
        self._dataset, self._type = dataset, dataframe_type

    def all(self) -> T:
        """Read the whole table."""
        frame: T = _engine().read(self._dataset.context, self._dataset, self._type)
        return frame

    def iter(self) -> Iterator[T]:
        """Read the table part by part."""
        frames: Iterator[T] = _engine().iterate(self._dataset.context, self._dataset, self._type)
        return frames


def _engine() -> Any:
    return importlib.import_module("flyte_kit.types.structured.engine").DATASETS


class StructuredDatasetEncoder(Generic[T]):
    """Writes the frames of one class; register an instance with ``StructuredDatasetTransformerEngine``.

    :param python_type: the frames' class
    :param protocol: scheme of the places that it writes to (``s3``); every one without it
    :param supported_format: format that it writes; it is the one for any format without it
    """

    def __init__(self, python_type: Any, protocol: str | None = None, supported_format: str | None = None) -> None:
        self.python_type = python_type
        self.protocol = protocol.replace("://", "") if protocol else None
        self.supported_format = supported_format or GENERIC_FORMAT

    def encode(
        self, ctx: FlyteContext, structured_dataset: StructuredDataset, structured_dataset_type: StructuredDatasetType
    ) -> StructuredDatasetMessage:
        """Write ``structured_dataset.dataframe`` and return where it is."""
        raise NotImplementedError(f"{type(self).__name__}.encode is missing")


class StructuredDatasetDecoder(Generic[T]):
    """Reads frames of one class; the parameters are those of :class:`StructuredDatasetEncoder`."""

    def __init__(
        self,
        python_type: Any,
        protocol: str | None = None,
        supported_format: str | None = None,
        additional_protocols: list[str] | None = None,
    ) -> None:
        self.python_type = python_type
        self.protocol = protocol.replace("://", "") if protocol else None
        self.supported_format = supported_format or GENERIC_FORMAT

    def decode(
        self, ctx: FlyteContext, flyte_value: StructuredDatasetMessage, current_task_metadata: StructuredDatasetMetadata
    ) -> Any:
        """Return the frame, with the columns that the metadata names; or an iterator of its parts."""
        raise NotImplementedError(f"{type(self).__name__}.decode is missing")
