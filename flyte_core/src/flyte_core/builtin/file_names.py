"""Keys of objects as paths on disk: a pure, reversible mapping that no key can escape.

``a/b/c`` becomes the path ``a/b/c``. A file system cannot hold everything that an object store can, so that some names
differ; each rule below depends on the name alone, never on what else is stored:

- Objects ``a`` and ``a/b`` may exist together, but a file and a folder of one name may not. A name with a dot is
  therefore taken for a file and one without for a folder; the odd one out ends in ``%``: the object ``data`` is the
  file ``data%``, the folder ``v1.2`` is ``v1.2%``.
- Bytes beyond plain ASCII, and ``%`` itself, become ``%XX``.
- An empty name (``a//b``) is ``%%`` as a folder and ``%`` as a file.
- What is too long for a file name continues in a folder whose name ends in ``%+``.

Names that start with ``%`` and a lower-case letter stand for no key, and are the store's own.
"""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

from flyte_core.errors import InvalidInput

KEY_LIMIT = 1024
"""Longest key, in bytes of UTF-8, as S3 has it."""

_PIECE = 240
"""Longest piece of a file name, in bytes; every common file system takes 255."""
_PLAIN = " !#$&'()+,;=@[]^_`{}~-."
"""ASCII characters beside letters and digits that stay as they are."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_EMPTY_FOLDER = "%%"
_GOES_ON = "%+"
_ODD = "%"


def check_bucket(bucket: str) -> str:
    """Return the name of a bucket.

    :raises InvalidInput: unless it is 3 to 63 lower-case letters, digits, ``-`` and ``.``
    """
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise InvalidInput(f"{bucket[:256]!r} is no bucket: 3 to 63 lower-case letters, digits, '-' and '.' are")
    return bucket


def check_key(key: str) -> str:
    """Return the key of an object.

    :raises InvalidInput: if it is empty, longer than :data:`KEY_LIMIT`, no Unicode, holds NUL, or has ``.`` or ``..``
        as a name, which clients and proxies resolve differently
    """
    if not key:
        raise InvalidInput("the key of an object is missing")
    if "\0" in key:
        raise InvalidInput(f"the key {key[:256]!r} holds NUL")
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the key {key[:256]!r} is no valid Unicode") from error
    if length > KEY_LIMIT:
        raise InvalidInput(f"the key {key[:64]!r}… has {length} bytes, at most {KEY_LIMIT} are allowed")
    if "." in key and any(name in {".", ".."} for name in key.split("/")):
        raise InvalidInput(f"the key {key[:256]!r} has '.' or '..' as a name, which no key may")
    return key


def object_path(key: str) -> str:
    """Return the relative path of the file that holds the object ``key``."""
    *folders, name = check_key(key).split("/")
    return "/".join([*(folder_path(folder) for folder in folders), _pieces(_file_name(name))])


def folder_path(name: str) -> str:
    """Return the relative path of the folder that stands for one name of a key."""
    return _pieces(_folder_name(name))


def decode(entry: str, *, folder: bool) -> str | None:
    """Return the name in a key for which a file or a folder stands, or None if it stands for none: a stranger.

    :param entry: its pieces joined
    """
    if folder and entry == _EMPTY_FOLDER:
        return ""
    try:
        name = unquote_to_bytes(entry.removesuffix(_ODD)).decode()
    except UnicodeDecodeError:
        return None
    expected = _folder_name(name) if folder else _file_name(name)
    return name if entry == expected else None


def goes_on(entry: str) -> str | None:
    """Return the piece for which a folder stands when a long name continues in it, else None."""
    return entry.removesuffix(_GOES_ON) if entry.endswith(_GOES_ON) else None


def _file_name(name: str) -> str:
    return _encode(name) if "." in name else _encode(name) + _ODD


def _folder_name(name: str) -> str:
    if not name:
        return _EMPTY_FOLDER
    return _encode(name) + _ODD if "." in name else _encode(name)


def _encode(name: str) -> str:
    return quote_from_bytes(name.encode(), safe=_PLAIN)


def _pieces(encoded: str) -> str:
    if len(encoded) <= _PIECE:
        return encoded
    pieces = [encoded[start : start + _PIECE] for start in range(0, len(encoded), _PIECE)]
    return "/".join([*(piece + _GOES_ON for piece in pieces[:-1]), pieces[-1]])
