"""Outputs from files: each in one of its name, whatever its extension."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable

from flyteidl.core.interface_pb2 import VariableMap
from flyteidl.core.literals_pb2 import Blob, BlobMetadata, Literal, LiteralMap, Scalar
from flyteidl.core.types_pb2 import BlobType, LiteralType

from flyte_core import paths
from flyte_core.errors import InvalidInput, TooLarge, UserError
from flyte_kit.copilot.patience import patiently
from flyte_kit.copilot.texts import literal_of_text
from flyte_kit.storage.stores import store_of

ERROR = "_ERROR"
"""A file of this name fails the task; its text is the message."""
LARGEST_ERROR = 2**20
LARGEST_TEXT = 1024
"""Bytes of an output that is no file (upstream's limit)."""
MOST_FILES = 100_000
"""Of one folder."""


def read_outputs(outputs: VariableMap, folder: str, raw_prefix: str, patience: float) -> LiteralMap:
    """Return the outputs of a command; its files are uploaded below the prefix.

    :raises flyte_core.errors.InvalidInput: naming an output that is not there, is too large or not of its type; with
        the text of the file ``_ERROR`` where there is one
    """
    _raise_error(os.path.join(folder, ERROR))
    # All are looked at before any is uploaded: what is wrong is told at once, and nothing is left half done.
    found = {name: _found(folder, name) for name in sorted(outputs.variables)}
    uploads: list[tuple[str, str]] = []
    result = LiteralMap()
    for name, path in found.items():
        kind = outputs.variables[name].type
        try:
            literal = _literal(kind, path, lambda target=name: paths.join(raw_prefix, target), uploads)  # type: ignore[misc]
        except UserError as error:
            raise InvalidInput(f"output {name!r}: {error}") from error
        result.literals[name].CopyFrom(literal)
    for path, uri in uploads:
        patiently(lambda path=path, uri=uri: store_of(uri).upload(path, uri), patience)  # type: ignore[misc]
    return result


def _raise_error(path: str) -> None:
    if os.path.lexists(path):
        text = _text(path, LARGEST_ERROR)
        raise InvalidInput(f"User Error: {text}")


def _found(folder: str, name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise InvalidInput(f"output {name[:256]!r}: this can be no name of a file")
    path = os.path.join(folder, name)
    if os.path.exists(path):
        return path
    others = glob.glob(glob.escape(path) + ".*")
    if len(others) == 1:
        return others[0]
    there = ", ".join(sorted(os.listdir(folder))[:20]) if os.path.isdir(folder) else ""
    reason = "there are several files of it" if others else "the command has not written it"
    raise InvalidInput(f"output {name!r}: {reason}; in the folder of outputs there is: {there or 'nothing'}")


def _literal(kind: LiteralType, path: str, target: Callable[[], str], uploads: list[tuple[str, str]]) -> Literal:
    match kind.WhichOneof("type"):
        case "simple":
            return literal_of_text(kind.simple, _text(path, LARGEST_TEXT))
        case "blob":
            uri = target()
            uploads += _uploads(kind.blob, path, uri)
            return Literal(scalar=Scalar(blob=Blob(uri=uri, metadata=BlobMetadata(type=kind.blob))))
        case other:
            raise InvalidInput(f"{(other or 'this').removesuffix('_type')} outputs have no form as files")


def _uploads(kind: BlobType, path: str, uri: str) -> list[tuple[str, str]]:
    folder = os.path.isdir(path)
    if folder != (kind.dimensionality == BlobType.MULTIPART):
        raise InvalidInput(f"it is a {'folder' if folder else 'file'}, and declared to be the other")
    if not folder:
        _check_file(path)
        return [(path, uri)]
    files: list[tuple[str, str]] = []
    for parent, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(parent, name)
            _check_file(file)
            files.append((file, paths.join(uri, os.path.relpath(file, path))))
            if len(files) > MOST_FILES:
                raise TooLarge(f"there are more than {MOST_FILES} files in it")
    return files


def _text(path: str, limit: int) -> str:
    _check_file(path)
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"{os.path.basename(path)} has more than {limit} bytes")
    return data.decode(errors="replace")


def _check_file(path: str) -> None:
    """Refuse what cannot be read, and what might never end."""
    name = os.path.basename(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InvalidInput(f"{name} is no regular file")
        with open(path, "rb"):
            pass
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}") from error
