"""Paths of a run: where raw outputs go, where local copies go, and the copying between them."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Self, TypeVar

from flyte_core.errors import UserError
from flyte_kit.deferred import deferred
from flyte_kit.exceptions.system import FlyteDownloadDataException, FlyteUploadDataException
from flyte_kit.exceptions.user import FlyteDataNotFoundException
from flyte_kit.storage.local import local_path, temporary_folder
from flyte_kit.storage.ports import ObjectStore
from flyte_kit.storage.stores import is_remote, store_of

if TYPE_CHECKING:
    import pathlib
    from concurrent import futures
else:
    pathlib = deferred("pathlib")
    futures = deferred("concurrent.futures")

PARALLEL_COPIES = 8
"""Objects of one folder that are copied at the same time."""

T = TypeVar("T")


class FileAccessProvider:
    """File access of one run.

    :param local_sandbox_dir: folder for local copies; made when first used
    :param raw_output_prefix: URI or path below which raw outputs go; each gets a folder of its own
    :param execution_metadata: facts to attach to written objects; kept for stores that take them
    :ivar keys_file: the configuration file whose keys open stores; None for that of the process
    """

    keys_file: pathlib.Path | None = None

    def __init__(
        self,
        local_sandbox_dir: str | os.PathLike[str],
        raw_output_prefix: str,
        data_config: object = None,
        execution_metadata: dict[str, str] | None = None,
    ) -> None:
        self._local_sandbox_dir = pathlib.Path(local_sandbox_dir)
        self.raw_output_prefix = raw_output_prefix.rstrip("/") + "/"
        self.data_config = data_config
        self.execution_metadata = execution_metadata or {}

    @property
    def local_sandbox_dir(self) -> pathlib.Path:
        """The folder for local copies."""
        self._local_sandbox_dir.mkdir(parents=True, exist_ok=True)
        return self._local_sandbox_dir

    def with_keys_of(self, file: pathlib.Path | None) -> Self:
        """Return the same access, with the keys of a configuration file."""
        other = copy.copy(self)
        other.keys_file = file
        return other

    def store_of(self, uri: str) -> ObjectStore:
        """Return the store that serves ``uri``, opened with this access's keys.

        :raises flyte_core.errors.ConfigError: if nothing that is installed serves its scheme
        """
        return store_of(uri, self.keys_file)

    @property
    def local_access(self) -> FileAccessProvider:
        """This same object: local and remote paths go through one door."""
        return self

    @staticmethod
    def is_remote(path: str | os.PathLike[str]) -> bool:
        """Tell whether a path has a scheme other than ``file``."""
        return is_remote(path)

    @staticmethod
    def get_random_string() -> str:
        """Return 32 random hexadecimal digits."""
        return os.urandom(16).hex()

    @staticmethod
    def get_file_tail(file_path_or_file_name: str) -> str:
        """Return the last part of a path, without a query."""
        return os.path.basename(str(file_path_or_file_name).split("?", 1)[0].rstrip("/"))

    @staticmethod
    def join(*args: str, unstrip: bool = False, fs: object = None) -> str:
        """Join parts of a path or URI by ``/``."""
        first, *rest = args
        return "/".join([first.rstrip("/"), *(part.strip("/") for part in rest)])

    def get_random_local_path(self, file_path_or_file_name: str | os.PathLike[str] | None = None) -> str:
        """Return an unused path in a folder of its own; the name of what it is a copy of is kept."""
        folder = self.local_sandbox_dir / self.get_random_string()
        if file_path_or_file_name:
            folder.mkdir()
            return str(folder / self.get_file_tail(str(file_path_or_file_name)))
        return str(folder)

    def get_random_local_directory(self) -> str:
        """Make a new local folder and return its path."""
        folder = self.local_sandbox_dir / self.get_random_string()
        folder.mkdir()
        return str(folder)

    def get_random_remote_path(self, file_path_or_file_name: str | os.PathLike[str] | None = None) -> str:
        """Return a place for a raw output: a random folder below the raw output prefix."""
        place = self.raw_output_prefix + self.get_random_string()
        return f"{place}/{self.get_file_tail(str(file_path_or_file_name))}" if file_path_or_file_name else place

    def get_random_remote_directory(self) -> str:
        """Return a place for a raw output that is a folder."""
        return self.get_random_remote_path()

    def generate_new_custom_path(self, fs: object = None, alt: str | None = None, stem: str | None = None) -> str:
        """Return a new place below the raw output prefix.

        :param alt: another bucket, in place of the prefix's
        :param stem: last part of the path; random without it
        """
        prefix = self.raw_output_prefix
        if alt:
            scheme, _, rest = prefix.partition("://")
            prefix = f"{scheme}://{alt}/{rest.partition('/')[2]}" if rest else f"{alt.rstrip('/')}/"
        return f"{prefix}{self.get_random_string()}/{stem}" if stem else prefix + self.get_random_string()

    def exists(self, path: str) -> bool:
        """Tell whether there is an object or folder."""
        return self.store_of(path).exists(path)

    def get(self, from_path: str, to_path: str, recursive: bool = False) -> str:
        """Copy to a local path; see :meth:`get_data`."""
        self.get_data(from_path, to_path, is_multipart=recursive)
        return to_path

    def download(self, remote_path: str, local_path: str) -> None:
        """Copy one object to a local file."""
        self.get_data(remote_path, local_path)

    def download_directory(self, remote_path: str, local_path: str) -> None:
        """Copy everything below a prefix to a local folder."""
        self.get_data(remote_path, local_path, is_multipart=True)

    def upload(self, file_path: str, to_path: str) -> str:
        """Copy a local file to a place."""
        return self.put_data(file_path, to_path)

    def upload_directory(self, local_path: str, remote_path: str) -> str:
        """Copy a local folder to a place."""
        return self.put_data(local_path, remote_path, is_multipart=True)

    def get_data(self, remote_path: str, local_path: str, is_multipart: bool = False) -> None:
        """Copy an object, or all objects below a prefix, to a local path.

        :raises FlyteDataNotFoundException: if there is nothing
        :raises FlyteDownloadDataException: if the store fails
        """
        try:
            if is_multipart:
                self._get_folder(remote_path, local_path)
            else:
                self.store_of(remote_path).download(remote_path, local_path)
        except UserError:
            raise
        except Exception as error:
            raise FlyteDownloadDataException(f"Failed to get {remote_path} to {local_path}: {error}") from error

    def put_data(
        self, local_path: str | os.PathLike[str], remote_path: str, is_multipart: bool = False, **headers: str
    ) -> str:
        """Copy a local file or folder to a place and return its URI.

        :param headers: to keep with the object; ``ContentEncoding`` is known
        :raises FlyteUploadDataException: if the store fails
        """
        known = {"Content-Encoding": headers["ContentEncoding"]} if "ContentEncoding" in headers else {}
        try:
            if is_multipart:
                self._put_folder(str(local_path), remote_path)
            else:
                self.store_of(remote_path).upload(str(local_path), remote_path, headers=known)
        except UserError:
            raise
        except Exception as error:
            raise FlyteUploadDataException(f"Failed to put {local_path} to {remote_path}: {error}") from error
        return remote_path

    def put_raw_data(
        self,
        lpath: str | os.PathLike[str],
        upload_prefix: str | None = None,
        file_name: str | None = None,
        **headers: str,
    ) -> str:
        """Copy a local file or folder below the raw output prefix and return its URI.

        :param upload_prefix: folder within the prefix, in place of a random one
        :param file_name: last part, in place of the file's own name
        """
        source = local_path(str(lpath))
        if not os.path.exists(source):
            raise FlyteDataNotFoundException(source)
        place = self.raw_output_prefix + (upload_prefix.strip("/") if upload_prefix else self.get_random_string())
        if os.path.isdir(source):
            return self.put_data(source, place, is_multipart=True)
        return self.put_data(source, f"{place}/{file_name or self.get_file_tail(source)}", False, **headers)

    def _get_folder(self, remote: str, local: str) -> None:
        store, root = self.store_of(remote), local_path(remote).rstrip("/")
        names = list(store.list(remote))
        if not names:
            raise FlyteDataNotFoundException(remote)
        os.makedirs(local, exist_ok=True)

        def copy(name: str) -> None:
            tail = local_path(name)[len(root) :].lstrip("/") or os.path.basename(root)
            target = os.path.join(local, tail)
            if not os.path.abspath(target).startswith(os.path.abspath(local) + os.sep):
                raise FlyteDownloadDataException(f"{name} would be written outside of {local}")
            store.download(name, target)

        in_parallel(copy, names)

    def _put_folder(self, local: str, remote: str) -> None:
        store, root = self.store_of(remote), local_path(local).rstrip("/")
        if not os.path.isdir(root):
            raise FlyteDataNotFoundException(local)
        files = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in sorted(names)]
        in_parallel(lambda path: store.upload(path, f"{remote.rstrip('/')}/{os.path.relpath(path, root)}"), files)


def in_parallel(work: Callable[[T], None], items: Iterable[T]) -> None:
    """Do ``work`` for every item, several at a time; the first error ends it."""
    todo = list(items)
    if len(todo) < 2:
        for item in todo:
            work(item)
        return
    with futures.ThreadPoolExecutor(min(PARALLEL_COPIES, len(todo))) as pool:
        for _ in pool.map(work, todo):
            pass


def default_local_file_access_provider() -> FileAccessProvider:
    """Return file access for local runs: everything below one random folder of the temporary folder."""
    root = os.path.join(temporary_folder(), f"flyte-{os.urandom(6).hex()}")
    return FileAccessProvider(os.path.join(root, "sandbox"), os.path.join(root, "raw"))
