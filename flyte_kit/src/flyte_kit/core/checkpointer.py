"""Checkpoints: what an attempt leaves for the next attempt of the same task."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from flyte_kit.core.data_persistence import FileAccessProvider, default_local_file_access_provider
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import pathlib
else:
    pathlib = deferred("pathlib")

_NONE = {"", '""', "''"}
FILE_NAME = "_flytecheckpoints"


def given_path(text: str | None) -> str | None:
    """Return the path of a command-line argument; None for what stands for "none".

    Engines pass two quotation marks on the first attempt, or leave the template as it is.
    """
    if text is None or text in _NONE or text.startswith("{{"):
        return None
    return text


class Checkpoint:
    """Saves and restores the state of a task.

    :param checkpoint_dest: where this attempt saves; None on a local run without a checkpoint
    :param checkpoint_src: where the attempt before saved, if there was one
    """

    SRC_LOCAL_FOLDER = "prev_cp"
    TMP_DST_PATH = "_dst_cp"

    def __init__(
        self, checkpoint_dest: str, checkpoint_src: str | None = None, file_access: FileAccessProvider | None = None
    ) -> None:
        self._dest = checkpoint_dest
        self._src = given_path(checkpoint_src)
        self._files = file_access or default_local_file_access_provider()
        self._restored: pathlib.Path | None = None

    def prev_exists(self) -> bool:
        """Tell whether an earlier attempt left a checkpoint."""
        return self._src is not None and self._files.exists(self._src)

    def restore(self, path: pathlib.Path | str | None = None) -> pathlib.Path | None:
        """Copy the earlier attempt's checkpoint to a local folder and return it; None if there is none.

        :param path: folder; a new one without it
        """
        if self._src is None or not self.prev_exists():
            return None
        if self._restored is not None:
            return self._restored
        folder = pathlib.Path(path) if path is not None else pathlib.Path(self._files.get_random_local_directory())
        if path is not None and folder.exists() and not folder.is_dir():
            raise ValueError(f"Checkpoints can be restored to a folder only, and {folder} is a file.")
        self._files.download_directory(self._src, str(folder))
        self._restored = folder
        return folder

    def save(self, cp: pathlib.Path | str | io.BufferedReader) -> None:
        """Save a file, the content of an open file, or all of a folder."""
        if isinstance(cp, io.BufferedReader | io.BytesIO):
            self.write(cp.read())
            return
        if os.path.isdir(cp):
            self._files.upload_directory(str(cp), self._dest)
        elif os.path.isfile(cp):
            self._files.upload(str(cp), f"{self._dest.rstrip('/')}/{pathlib.Path(cp).name}")
        else:
            raise ValueError(f"Only a file or folder can be saved as a checkpoint, and {cp} is neither.")

    def read(self) -> bytes | None:
        """Return the bytes that the earlier attempt wrote; None if there is no checkpoint.

        :raises ValueError: if the checkpoint has several files: use :meth:`restore`
        """
        folder = self.restore()
        if folder is None:
            return None
        files = [path for path in folder.rglob("*") if path.is_file()]
        if len(files) != 1:
            raise ValueError(f"Expected one file in the checkpoint, found {len(files)}; use restore().")
        return files[0].read_bytes()

    def write(self, b: bytes) -> None:
        """Save bytes."""
        path = pathlib.Path(self._files.get_random_local_directory()) / FILE_NAME
        path.write_bytes(b)
        self.save(path)


SyncCheckpoint = Checkpoint
"""flytekit's name of the same thing."""
