"""``FlyteSchema``: columns in brackets, frames read and written through :meth:`FlyteSchema.open`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from enum import Enum
from typing import Any

from flyte_kit.core.context_manager import FlyteContextManager


class SchemaFormat(Enum):
    """Format of a schema's files."""

    PARQUET = "parquet"


class SchemaOpenMode(Enum):
    """Whether a schema is read or written."""

    READ = "r"
    WRITE = "w"


class FlyteSchema:
    """A folder of Parquet files.

    ``FlyteSchema[kwtypes(a=int, b=str)]`` states its columns.

    :param local_path: folder on this machine; a new one without it
    :param remote_path: where it is or is to be put
    """

    def __init__(self, local_path: str | None = None, remote_path: str | None = None) -> None:
        files = FlyteContextManager.current_context().file_access
        self._keys_file = files.keys_file
        self._fetched = remote_path is None
        self.local_path = local_path or files.get_random_local_directory()
        self.remote_path = remote_path or files.get_random_remote_path()

    @classmethod
    def columns(cls) -> dict[str, Any]:
        """Return the columns that the class states."""
        return {}

    @classmethod
    def __class_getitem__(cls, columns: Mapping[str, Any]) -> Any:
        """Return the type with columns."""
        stated = dict(columns)
        return type("FlyteSchema", (FlyteSchema,), {"columns": classmethod(lambda kind: dict(stated))})

    def open(self, dataframe_fmt: Any = None, override_mode: SchemaOpenMode | None = None) -> SchemaFrames:
        """Return a reader and writer of frames; pandas' without another class."""
        if not self._fetched:
            files = FlyteContextManager.current_context().with_keys_of(self._keys_file).file_access
            if files.is_remote(self.remote_path):
                files.get_data(self.remote_path, self.local_path, is_multipart=True)
            else:
                self.local_path = self.remote_path
            self._fetched = True
        return SchemaFrames(self.local_path, list(self.columns()) or None)


class SchemaFrames:
    """Frames of a schema's folder.

    :param columns: to read; None for all
    """

    def __init__(self, folder: str, columns: list[str] | None) -> None:
        self._folder, self._columns = folder, columns

    def all(self) -> Any:
        """Read everything as one frame."""
        pandas = importlib.import_module("pandas")
        files = sorted(os.path.join(self._folder, name) for name in os.listdir(self._folder))
        frames = [pandas.read_parquet(file, columns=self._columns) for file in files]
        return frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)

    def write(self, *dfs: Any) -> None:
        """Write frames, each as a file of its own."""
        for index, frame in enumerate(dfs, start=len(os.listdir(self._folder))):
            frame.to_parquet(os.path.join(self._folder, f"{index:05}"), index=False)
