"""The code as one file: the same code gives the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from flyte_core.errors import InvalidInput
from flyte_kit.registration.sources import CopyFileDetection, digest, source_files


@dataclass(frozen=True)
class Tarball:
    """Packed code.

    :ivar name: ``fast<md5 of the code>.tar.gz``
    :ivar digest: md5 of the code, in hexadecimal
    :ivar files: paths in it
    """

    name: str
    digest: str
    content: bytes
    files: tuple[str, ...]

    def save(self, folder: Path) -> Path:
        """Write it into a folder and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.name
        path.write_bytes(self.content)
        return path


def pack(root: Path, copy: CopyFileDetection, *, deref_symlinks: bool = False) -> Tarball:
    """Pack a folder's code.

    :param deref_symlinks: whether links are replaced by what they point to
    :raises InvalidInput: if there is nothing to pack
    """
    files = source_files(root, copy, deref_symlinks=deref_symlinks)
    if not files:
        raise InvalidInput(f"{root} has no files to package; is it the folder with your code?", field="source")
    text = digest(root, files)
    return Tarball(f"fast{text}.tar.gz", text, _packed(root, files, deref_symlinks=deref_symlinks), tuple(files))


def pack_file(name: str, content: bytes, digest: str) -> Tarball:
    """Pack one file that is in no folder.

    :param digest: of what is in it
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return Tarball(f"fast{digest}.tar.gz", digest, gzip.compress(buffer.getvalue(), mtime=0), (name,))


def _packed(root: Path, files: list[str], *, deref_symlinks: bool) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, dereference=deref_symlinks) as tar:
        for name in files:
            tar.add(root / name, arcname=name, recursive=False, filter=_plain)
    return gzip.compress(buffer.getvalue(), mtime=0)


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Take away what depends on who packs and when."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    info.mode = 0o755 if info.mode & 0o100 else 0o644
    info.pax_headers = {}
    return info
