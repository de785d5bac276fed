"""Files and paths as blobs of one object."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import mimetypes
import os
from pathlib import Path
from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import BlobType, LiteralType
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import (
    TypeTransformer,
    TypeTransformerFailedError,
    get_underlying_type,
    unpacked,
)
from flyte_kit.types.blob_format import with_format
from flyte_kit.types.file.file import FlyteFile
from flyte_kit.types.pickle import PICKLE_FORMAT

_MIME_TYPES = {
    "hdf5": ["text/plain"],
    "joblib": ["application/octet-stream"],
    "python_pickle": ["application/octet-stream"],
    "ipynb": ["application/json"],
    "onnx": ["application/json"],
    "tfrecord": ["application/octet-stream"],
    "jsonl": ["application/json", "application/x-ndjson"],
}
_OWN_FORMATS = {PICKLE_FORMAT, "NumpyArray"}


class FlyteFilePathTransformer(TypeTransformer[FlyteFile[Any]]):
    """``FlyteFile`` and ``os.PathLike``."""

    does_io = True

    def __init__(self) -> None:
        super().__init__("FlyteFilePath", FlyteFile)

    @staticmethod
    def get_format(t: Any) -> str:
        """Return the format that a type states."""
        return "" if t is os.PathLike else str(t.extension())

    def assert_type(self, t: Any, v: Any) -> None:
        """Take a file, a path or text."""
        if not isinstance(v, os.PathLike | str):
            raise TypeTransformerFailedError(
                f"No automatic conversion found from type {type(v)} to FlyteFile: give a path, text or a FlyteFile"
            )

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a blob of one object."""
        format_ = self.get_format(get_underlying_type(t))
        return LiteralType(blob=BlobType(format=format_, dimensionality=BlobType.SINGLE))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Upload a local file, unless nobody else could need it there, and write its URI."""
        wanted = get_underlying_type(python_type)
        if python_val is None:
            raise TypeTransformerFailedError("None value cannot be converted to a file.")
        if not (wanted is os.PathLike or (inspect.isclass(wanted) and issubclass(wanted, FlyteFile))):
            raise TypeTransformerFailedError(f"Incorrect type {wanted}, must be either a FlyteFile or os.PathLike")
        if not isinstance(python_val, FlyteFile | Path | str):
            raise TypeTransformerFailedError(f"Expected FlyteFile or os.PathLike object, received {type(python_val)}")
        literal = Literal()
        blob_type = BlobType(format=self.get_format(wanted), dimensionality=BlobType.SINGLE)
        literal.scalar.blob.metadata.type.CopyFrom(blob_type)
        literal.scalar.blob.uri = self._uri(ctx, python_val, wanted)
        if isinstance(python_val, FlyteFile) and python_val.metadata:
            literal.metadata.update(python_val.metadata)
        return literal

    def _uri(self, ctx: FlyteContext, value: Any, wanted: Any) -> str:
        source = str(value.path) if isinstance(value, FlyteFile) else str(value)
        if isinstance(value, FlyteFile) and value.remote_source is not None:
            return value.remote_source
        if wanted is not os.PathLike:
            check_content(wanted, source, ctx)
        target = value.remote_path if isinstance(value, FlyteFile) else None
        if wanted is os.PathLike or ctx.file_access.is_remote(source) or target is False:
            return source
        if not isinstance(value, FlyteFile) and not os.path.isfile(source):
            raise TypeTransformerFailedError(f"Error converting {value} because it's not a file.")
        if ctx.local_mode and target is None:
            return source
        headers: dict[str, Any] = {"ContentEncoding": "gzip"} if source.endswith(".gz") else {}
        if target:
            return ctx.file_access.put_data(source, str(target), **headers)
        return ctx.file_access.put_raw_data(source, **headers)

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return a file that is fetched when it is used."""
        wanted = get_underlying_type(expected_python_type)
        match lv.scalar.WhichOneof("value"):
            case "blob":
                if lv.scalar.blob.metadata.type.dimensionality == BlobType.MULTIPART:
                    self.refuse(lv, wanted)
                return self._value(ctx, lv.scalar.blob.uri, dict(lv.metadata) or None, wanted)
            case "binary":
                return self.from_binary_idl(lv.scalar.binary, wanted)
            case "generic":
                return self.from_generic_idl(lv.scalar.generic, wanted)
            case _:
                self.refuse(lv, wanted)

    def _value(self, ctx: FlyteContext, uri: str, metadata: dict[str, str] | None, wanted: Any) -> FlyteFile[Any]:
        if wanted is os.PathLike:
            return FlyteFile(path=uri, downloader=lambda: None, metadata=metadata)
        if not ctx.file_access.is_remote(uri):
            check_content(wanted, uri, ctx)
        file: FlyteFile[Any] = wanted(path=uri, metadata=metadata)
        return file

    def from_plain(self, ctx: FlyteContext, plain: dict[str, Any], cls: Any) -> Any:
        """Return the file that a structure holds."""
        if plain.get("path") is None:
            raise TypeTransformerFailedError("FlyteFile's path should not be None")
        return self._value(ctx, str(plain["path"]), plain.get("metadata"), cls)

    def from_binary_idl(self, binary_idl_object: Any, expected_python_type: Any) -> Any:
        """Return the file that a path into a structure led to."""
        return self._of_structure(unpacked(binary_idl_object), expected_python_type)

    def from_generic_idl(self, generic: Struct, expected_python_type: Any) -> Any:
        """Return the file that a console describes."""
        return self._of_structure(MessageToDict(generic), expected_python_type)

    def _of_structure(self, plain: Any, wanted: Any) -> Any:
        if not isinstance(plain, dict):
            raise TypeTransformerFailedError(f"{plain!r} is no FlyteFile")
        return self.from_plain(FlyteContext.current_context(), plain, wanted)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return FlyteFile with the blob's format."""
        blob = literal_type.blob
        single = literal_type.WhichOneof("type") == "blob" and blob.dimensionality == BlobType.SINGLE
        if single and blob.format not in _OWN_FORMATS:
            return with_format(FlyteFile, blob.format)
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


def check_content(python_type: Any, path: str, ctx: FlyteContext) -> None:
    """Compare a local file with the format that its type states, where python-magic is installed.

    :raises ValueError: if the content is of another kind
    """
    name = FlyteFilePathTransformer.get_format(python_type)
    if not name or not os.path.exists(path) or importlib.util.find_spec("magic") is None:
        return
    real = importlib.import_module("magic").from_file(path, mime=True)
    expected = _MIME_TYPES.get(name) or [mimetypes.types_map.get("." + name, "")]
    if real not in expected:
        raise ValueError(f"Incorrect file type, expected {expected}, got {real}")


TypeEngine.register(FlyteFilePathTransformer(), additional_types=[os.PathLike])
