"""A file that lives in an object store or on this machine."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Generic, cast

from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.data_persistence import FileAccessProvider
from flyte_kit.core.type_variables import T
from flyte_kit.storage.local import local_path
from flyte_kit.types.blob_format import with_format
from flyte_kit.types.plain_form import from_plain, model_schema, to_plain


@dataclass(init=False, repr=False, eq=False)
class FlyteFile(os.PathLike[str], Generic[T]):
    """A file as input or output of a task.

    As an input it is fetched when it is opened or its path is asked for (``open(file)``, ``file.download()``). As an
    output a local file is uploaded below the raw output prefix, or to ``remote_path``.

    ``FlyteFile["csv"]`` states the format.

    :param path: local path or URI
    :param downloader: called before the first access, in place of the download
    :param remote_path: where to upload to; False leaves the file where it is
    :param metadata: facts that travel beside the literal
    """

    path: str | os.PathLike[str] = cast(str, None)  # noqa: RUF009 - a constant
    metadata: dict[str, str] | None = None

    def __init__(
        self,
        path: str | os.PathLike[str],
        downloader: Any = None,
        remote_path: str | os.PathLike[str] | bool | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        self.path = path
        self.metadata = metadata
        self._downloader = downloader
        self._downloaded = False
        self._remote_path = remote_path
        self._remote_source: str | None = None
        self._local_path: str | None = None
        files = FlyteContextManager.current_context().file_access
        self._keys_file = files.keys_file  # whose keys opened what it came from, open it too
        if files.is_remote(path):
            self._remote_source = str(path)

    @classmethod
    def __class_getitem__(cls, item: Any) -> Any:
        """Return the type of files of a format."""
        return with_format(cls, item)

    @classmethod
    def extension(cls) -> str:
        """Return the format; empty for any."""
        return ""

    @classmethod
    def new_remote_file(cls, name: str | None = None, alt: str | None = None) -> FlyteFile[Any]:
        """Return a file at a new place in the store, to be written with :meth:`open`.

        :param name: last part of its path
        :param alt: another bucket
        """
        files = FlyteContextManager.current_context().file_access
        return cls(path=files.generate_new_custom_path(alt=alt, stem=name))

    @classmethod
    def new(cls, filename: str | os.PathLike[str]) -> FlyteFile[Any]:
        """Return a file in the task's working folder, to be written by the task.

        :raises ValueError: if the name is absolute
        """
        if os.path.isabs(filename):
            raise ValueError("Path must be relative.")
        parameters = FlyteContextManager.current_context().user_space_params
        folder = parameters.working_directory if parameters else os.getcwd()
        os.makedirs(folder, exist_ok=True)
        return cls(path=os.path.join(folder, filename))

    @classmethod
    def from_source(cls, source: str | os.PathLike[str]) -> FlyteFile[Any]:
        """Return a file whose content is elsewhere."""
        return cls(path=str(source))

    @property
    def downloaded(self) -> bool:
        """Whether the content is on this machine by now."""
        return self._downloaded

    @property
    def remote_path(self) -> str | os.PathLike[str] | bool | None:
        """Where it is to be uploaded to."""
        return self._remote_path

    @property
    def remote_source(self) -> str | None:
        """URI that it came from; None for a local file."""
        return self._remote_source

    def download(self) -> str:
        """Fetch the content, if it is not here, and return its local path."""
        return self.__fspath__()

    def __fspath__(self) -> str:
        if not self._downloaded:
            self._fetch()
            self._downloaded = True
        return self._local_path or local_path(str(self.path))

    @property
    def _file_access(self) -> FileAccessProvider:
        return FlyteContextManager.current_context().with_keys_of(self._keys_file).file_access

    def _fetch(self) -> None:
        if self._downloader is not None:
            self._downloader()
        elif self._remote_source is not None:
            files = self._file_access
            self._local_path = files.get_random_local_path(self._remote_source)
            files.get_data(self._remote_source, self._local_path)

    @contextlib.contextmanager
    def open(
        self, mode: str, cache_type: str | None = None, cache_options: dict[str, Any] | None = None
    ) -> Iterator[IO[Any]]:
        """Open the content where it is: reading streams from the store, writing uploads when the block ends.

        :param cache_type: fsspec's read-ahead; there is no need for it here
        """
        place = str(self._remote_source or (self._remote_path if self._remote_path else None) or self.path)
        files = self._file_access
        if not files.is_remote(place):
            with open(local_path(place), mode) as file:
                yield file
        elif "r" in mode:
            with contextlib.closing(_reader(files, place, mode)) as stream:
                yield stream
        else:
            draft = files.get_random_local_path(place)
            with open(draft, mode) as file:
                yield file
            files.put_data(draft, place)

    def _serialize(self) -> dict[str, Any]:
        return to_plain(self)

    @classmethod
    def _deserialize(cls, value: dict[str, Any]) -> FlyteFile[Any]:
        return cast("FlyteFile[Any]", from_plain(cls, value))

    def __pre_serialize__(self) -> FlyteFile[Any]:
        plain = self._serialize()
        return type(self)(path=plain["path"], metadata=plain.get("metadata"))

    def __post_serialize__(self, d: dict[Any, Any]) -> dict[Any, Any]:
        return {key: value for key, value in d.items() if value is not None}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Return how pydantic reads, writes and describes a file."""
        return model_schema(cls, "FlyteFile")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FlyteFile):
            mine = (str(self.path), self._remote_path, self.extension())
            return mine == (str(other.path), other._remote_path, other.extension())
        return str(self.path) == other

    def __hash__(self) -> int:
        return hash(str(self.path))

    def __repr__(self) -> str:
        return str(self.path)

    __str__ = __repr__


def _reader(files: FileAccessProvider, uri: str, mode: str) -> IO[Any]:
    stream = files.store_of(uri).open_read(uri)
    return stream if "b" in mode else io.TextIOWrapper(stream)
