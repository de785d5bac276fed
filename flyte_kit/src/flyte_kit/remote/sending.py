"""Values of this machine as inputs of executions: local files go to the store by URLs that the control plane signs."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
from pathlib import Path

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.data_persistence import FileAccessProvider, in_parallel
from flyte_kit.exceptions.user import FlyteDataNotFoundException
from flyte_kit.remote.client import Client
from flyte_kit.remote.uploads import upload
from flyte_kit.storage.local import local_path


class SendingFileAccess(FileAccessProvider):
    """File access whose raw outputs are uploads; what is downloaded goes to the same local folder as before.

    :param files: file access of the process
    """

    def __init__(self, files: FileAccessProvider, client: Client, project: str, domain: str) -> None:
        super().__init__(files.local_sandbox_dir, files.raw_output_prefix)
        self.keys_file = files.keys_file
        self._client, self._project, self._domain = client, project, domain

    def put_raw_data(
        self,
        lpath: str | os.PathLike[str],
        upload_prefix: str | None = None,
        file_name: str | None = None,
        **headers: str,
    ) -> str:
        """Upload a local file or folder and return its URI; the same content has the same URI.

        :raises FlyteDataNotFoundException: if it is not there
        """
        source = Path(local_path(str(lpath)))
        if source.is_dir():
            return self._send_folder(source, upload_prefix)
        if not source.is_file():
            raise FlyteDataNotFoundException(str(source))
        return self._send(source, file_name or source.name, upload_prefix or "")

    def _send(self, source: Path, name: str, root: str) -> str:
        content = source.read_bytes()
        return upload(self._client, content, project=self._project, domain=self._domain, name=name, root=root)[1]

    def _send_folder(self, folder: Path, root: str | None) -> str:
        """Upload what is below a folder, under names that keep its structure; return the URI of the whole."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if not files:
            raise FlyteDataNotFoundException(f"{folder} holds no files")
        shared = root or _digest(folder, files)
        places: dict[str, str] = {}

        def send(path: Path) -> None:
            name = path.relative_to(folder).as_posix()
            places[name] = self._send(path, name, shared)

        in_parallel(send, files)
        name, uri = next(iter(places.items()))
        return uri.removesuffix(name).rstrip("/")


def sending(ctx: FlyteContext, client: Client, project: str, domain: str) -> FlyteContext:
    """Return the context in which inputs become literals: within a task its own, whose store other tasks read."""
    if ctx.file_access.is_remote(ctx.file_access.raw_output_prefix):
        return ctx
    files = SendingFileAccess(ctx.file_access, client, project, domain)
    return dataclasses.replace(ctx, file_access=files, execution_state=None)


def _digest(folder: Path, files: list[Path]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.md5(path.read_bytes(), usedforsecurity=False).digest())
    return base64.b32encode(digest.digest()).decode().rstrip("=")
