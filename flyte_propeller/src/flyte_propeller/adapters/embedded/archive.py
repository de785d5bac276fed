"""Unpacks code archives: regular files and folders only, all of it or nothing."""

from __future__ import annotations

import io
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from flyte_core.errors import InvalidInput, TooLarge

MAX_FILES = 100_000
MAX_BYTES = 4 * 2**30
MAX_RATIO = 200
"""Unpacked bytes per packed byte, above the first 64 MiB: more is a bomb."""
FREE_BYTES = 64 * 2**20


def extract(data: bytes, target: Path) -> None:
    """Unpack a ``.tar.gz`` into an existing folder. The whole archive is checked before anything is written.

    :raises flyte_core.errors.InvalidInput: if it is no such archive, or holds anything but files and folders below
        the target: links, devices, absolute paths, ``..``
    :raises flyte_core.errors.TooLarge: if it holds too many files or bytes
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            members = _checked(archive, len(data))
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                if member.name in members:
                    _write(archive, member, target)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InvalidInput(f"the code archive cannot be unpacked: {type(error).__name__}: {error}") from error


def _checked(archive: tarfile.TarFile, packed: int) -> set[str]:
    names: set[str] = set()
    size = 0
    for member in archive:
        path = PurePosixPath(member.name)
        if not (member.isreg() or member.isdir()):
            raise InvalidInput(f"the code archive holds {member.name!r}, which is neither a file nor a folder")
        if path.is_absolute() or ".." in path.parts or "\0" in member.name or "\\" in member.name:
            raise InvalidInput(f"the code archive holds {member.name!r}, which points out of its folder")
        names.add(member.name)
        size += member.size
        if len(names) > MAX_FILES:
            raise TooLarge(f"the code archive holds more than {MAX_FILES} files")
        if size > min(MAX_BYTES, FREE_BYTES + packed * MAX_RATIO):
            raise TooLarge(f"the code archive unpacks to more than {size} bytes from {packed}")
    return names


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    path = target.joinpath(*PurePosixPath(member.name).parts)
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = archive.extractfile(member)
    assert source is not None, "checked to be a regular file"
    with path.open("wb") as file:
        while chunk := source.read(1 << 20):
            file.write(chunk)
    path.chmod(0o600 | (member.mode & 0o111))
