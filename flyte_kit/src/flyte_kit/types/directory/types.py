"""A folder that lives in an object store or on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, cast

from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager
from flyte_kit.core.type_variables import T
from flyte_kit.storage.local import local_path
from flyte_kit.types.blob_format import with_format
from flyte_kit.types.file.file import FlyteFile
from flyte_kit.types.plain_form import from_plain, model_schema, to_plain


@dataclass(init=False, repr=False, eq=False)
class FlyteDirectory(os.PathLike[str], Generic[T]):
    """A folder as input or output of a task; fetched and uploaded as :class:`FlyteFile` is.

    :param path: local path or URI prefix
    :param downloader: called before the first access, in place of the download
    :param remote_directory: where to upload to; False leaves the folder where it is
    """

    path: str | os.PathLike[str] = cast(str, None)  # noqa: RUF009 - a constant

    def __init__(
        self,
        path: str | os.PathLike[str],
        downloader: Any = None,
        remote_directory: str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.path = path
        self._downloader = downloader
        self._downloaded = False
        self._remote_directory = remote_directory
        self._remote_source: str | None = None
        self._local_path: str | None = None
        files = FlyteContextManager.current_context().file_access
        self._keys_file = files.keys_file  # whose keys opened what it came from, open it too
        if files.is_remote(path):
            self._remote_source = str(path)

    @classmethod
    def __class_getitem__(cls, item: Any) -> Any:
        """Return the type of folders of files of a format."""
        return with_format(cls, item)

    @classmethod
    def extension(cls) -> str:
        """Return the format of the files; empty for any."""
        return ""

    @classmethod
    def new_remote(cls, stem: str | None = None, alt: str | None = None) -> FlyteDirectory[Any]:
        """Return a folder at a new place in the store.

        :param stem: last part of its path
        :param alt: another bucket
        """
        files = FlyteContextManager.current_context().file_access
        return cls(path=files.generate_new_custom_path(alt=alt, stem=stem))

    @classmethod
    def new(cls, dirname: str | os.PathLike[str]) -> FlyteDirectory[Any]:
        """Make a folder in the task's working folder.

        :raises ValueError: if the name is absolute
        """
        if os.path.isabs(dirname):
            raise ValueError("Path must be relative.")
        parameters = FlyteContextManager.current_context().user_space_params
        folder = os.path.join(parameters.working_directory if parameters else os.getcwd(), dirname)
        os.makedirs(folder, exist_ok=True)
        return cls(path=folder)

    @classmethod
    def from_source(cls, source: str | os.PathLike[str]) -> FlyteDirectory[Any]:
        """Return a folder whose content is elsewhere."""
        return cls(path=str(source))

    @property
    def downloaded(self) -> bool:
        """Whether the content is on this machine by now."""
        return self._downloaded

    @property
    def remote_directory(self) -> str | os.PathLike[str] | bool | None:
        """Where it is to be uploaded to."""
        return self._remote_directory

    @property
    def remote_source(self) -> str | None:
        """URI that it came from; None for a local folder."""
        return self._remote_source

    @property
    def sep(self) -> str:
        """What separates the parts of a path in it."""
        return "/" if self._remote_source else os.sep

    def new_file(self, name: str | None = None) -> FlyteFile[Any]:
        """Return a file in this folder, to be written with ``open``."""
        return FlyteFile(path=self._child(name))

    def new_dir(self, name: str | None = None) -> FlyteDirectory[Any]:
        """Return a folder in this folder."""
        return FlyteDirectory(path=self._child(name))

    def _context(self) -> FlyteContext:
        return FlyteContextManager.current_context().with_keys_of(self._keys_file)

    def _child(self, name: str | None) -> str:
        files = FlyteContextManager.current_context().file_access
        root = str(self._remote_source or self.path)
        child = files.join(root, name or files.get_random_string())
        if not files.is_remote(root):
            os.makedirs(local_path(root), exist_ok=True)
        return child

    def download(self) -> str:
        """Fetch everything, if it is not here, and return its local path."""
        return self.__fspath__()

    def __fspath__(self) -> str:
        if not self._downloaded:
            if self._downloader is not None:
                self._downloader()
            elif self._remote_source is not None:
                files = self._context().file_access
                self._local_path = files.get_random_local_path(self._remote_source.rstrip("/"))
                files.get_data(self._remote_source, self._local_path, is_multipart=True)
            self._downloaded = True
        return self._local_path or local_path(str(self.path))

    @classmethod
    def listdir(cls, directory: FlyteDirectory[Any]) -> list[FlyteDirectory[Any] | FlyteFile[Any]]:
        """Return the files and folders of one level, without fetching them."""
        root = str(directory.remote_source or directory.path).rstrip("/")
        context = directory._context()
        tails = [name[len(root) :].lstrip("/") for name in context.file_access.store_of(root).list(root)]
        folders = dict.fromkeys(tail.split("/", 1)[0] for tail in tails if "/" in tail)
        with FlyteContextManager.with_context(context):
            found: list[FlyteDirectory[Any] | FlyteFile[Any]] = [
                FlyteFile(path=f"{root}/{tail}") for tail in tails if tail and "/" not in tail
            ]
            return [*found, *(FlyteDirectory(path=f"{root}/{name}") for name in folders)]

    def crawl(self, maxdepth: int | None = None, topdown: bool = True, **kwargs: Any) -> Iterator[tuple[str, str]]:
        """Yield the folder and the path within it of every file below.

        :param maxdepth: levels to go down; all without it
        """
        root = str(self._remote_source or self.path).rstrip("/")
        for name in self._context().file_access.store_of(root).list(root):
            tail = name[len(root) :].lstrip("/")
            if maxdepth is None or tail.count("/") < maxdepth:
                yield root, tail

    def _serialize(self) -> dict[str, Any]:
        return to_plain(self)

    @classmethod
    def _deserialize(cls, value: dict[str, Any]) -> FlyteDirectory[Any]:
        return cast("FlyteDirectory[Any]", from_plain(cls, value))

    def __pre_serialize__(self) -> FlyteDirectory[Any]:
        return type(self)(path=self._serialize()["path"])

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Return how pydantic reads, writes and describes a folder."""
        return model_schema(cls, "FlyteDirectory")

    def __truediv__(self, other: str | os.PathLike[str]) -> Path:
        return Path(self) / other

    def __eq__(self, other: object) -> bool:
        return str(self.path) == str(other.path if isinstance(other, FlyteDirectory) else other)

    def __hash__(self) -> int:
        return hash(str(self.path))

    def __repr__(self) -> str:
        return str(self.path)

    __str__ = __repr__
