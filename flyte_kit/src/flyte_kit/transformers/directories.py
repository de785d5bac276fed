"""Folders as blobs of many objects."""

from __future__ import annotations

import inspect
import os
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
from flyte_kit.types.directory.types import FlyteDirectory

_OWN_FORMATS = {"TensorFlowModel"}


class FlyteDirToMultipartBlobTransformer(TypeTransformer[FlyteDirectory[Any]]):
    """``FlyteDirectory``."""

    does_io = True

    def __init__(self) -> None:
        super().__init__("FlyteDirectory", FlyteDirectory)

    def assert_type(self, t: Any, v: Any) -> None:
        """Take a folder, a path or text."""
        if not isinstance(v, os.PathLike | str):
            raise TypeTransformerFailedError(
                f"No automatic conversion found from type {type(v)} to FlyteDirectory: give a path or a FlyteDirectory"
            )

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a blob of many objects."""
        return LiteralType(blob=_blob_type(get_underlying_type(t)))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Upload a local folder, unless nobody else could need it there, and write its URI."""
        wanted = get_underlying_type(python_type)
        if not (inspect.isclass(wanted) and issubclass(wanted, FlyteDirectory)):
            raise TypeTransformerFailedError(f"Incorrect type {wanted}, must be a FlyteDirectory")
        if not isinstance(python_val, FlyteDirectory | os.PathLike | str):
            raise TypeTransformerFailedError(f"Expected FlyteDirectory or os.PathLike object, got {type(python_val)}")
        literal = Literal()
        literal.scalar.blob.metadata.type.CopyFrom(_blob_type(wanted))
        literal.scalar.blob.uri = self._uri(ctx, python_val)
        return literal

    def _uri(self, ctx: FlyteContext, value: Any) -> str:
        if isinstance(value, FlyteDirectory):
            if value.remote_source is not None:
                return value.remote_source
            source, target = str(value.path), value.remote_directory
        else:
            source, target = str(value), None
        if ctx.file_access.is_remote(source) or target is False:
            return source
        if ctx.local_mode and target is None:
            return source
        if not os.path.isdir(source):
            raise TypeTransformerFailedError(f"Expected a directory. {source} is not a directory")
        if target:
            return ctx.file_access.put_data(source, str(target), is_multipart=True)
        return ctx.file_access.put_raw_data(source)

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return a folder that is fetched when it is used."""
        wanted = get_underlying_type(expected_python_type)
        match lv.scalar.WhichOneof("value"):
            case "blob":
                if lv.scalar.blob.metadata.type.dimensionality != BlobType.MULTIPART:
                    self.refuse(lv, wanted)
                return wanted(path=lv.scalar.blob.uri)
            case "binary":
                return self.from_binary_idl(lv.scalar.binary, wanted)
            case "generic":
                return self.from_generic_idl(lv.scalar.generic, wanted)
            case _:
                self.refuse(lv, wanted)

    def from_plain(self, ctx: FlyteContext, plain: dict[str, Any], cls: Any) -> Any:
        """Return the folder that a structure holds."""
        if plain.get("path") is None:
            raise TypeTransformerFailedError("FlyteDirectory's path should not be None")
        return cls(path=str(plain["path"]))

    def from_binary_idl(self, binary_idl_object: Any, expected_python_type: Any) -> Any:
        """Return the folder that a path into a structure led to."""
        return self.from_plain(FlyteContext.current_context(), unpacked(binary_idl_object), expected_python_type)

    def from_generic_idl(self, generic: Struct, expected_python_type: Any) -> Any:
        """Return the folder that a console describes."""
        return self.from_plain(FlyteContext.current_context(), MessageToDict(generic), expected_python_type)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return FlyteDirectory with the blob's format."""
        blob = literal_type.blob
        many = literal_type.WhichOneof("type") == "blob" and blob.dimensionality == BlobType.MULTIPART
        if many and blob.format not in _OWN_FORMATS:
            return with_format(FlyteDirectory, blob.format)
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


def _blob_type(t: Any) -> BlobType:
    return BlobType(format=t.extension(), dimensionality=BlobType.MULTIPART)


TypeEngine.register(FlyteDirToMultipartBlobTransformer())
