"""Open files: ``typing.TextIO`` and ``typing.BinaryIO`` can be inputs."""

from __future__ import annotations

import typing
from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import BlobType, LiteralType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_transformer import TypeTransformer


class _StreamTransformer(TypeTransformer[Any]):
    does_io = True

    def __init__(self, name: str, t: Any, mime_type: str, mode: str) -> None:
        super().__init__(name, t)
        self._mime_type, self._mode = mime_type, mode

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a blob of the stream's MIME type."""
        return LiteralType(blob=BlobType(format=self._mime_type, dimensionality=BlobType.SINGLE))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Refuse: an open file cannot be an output."""
        raise NotImplementedError(f"{self.python_type} can be an input only; return a FlyteFile.")

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Fetch the object and open it; the task closes it."""
        if lv.scalar.WhichOneof("value") != "blob":
            self.refuse(lv, self.python_type)
        path = ctx.file_access.get_random_local_path(lv.scalar.blob.uri)
        ctx.file_access.get_data(lv.scalar.blob.uri, path)
        return open(path, self._mode)


class TextIOTransformer(_StreamTransformer):
    """Text."""

    def __init__(self) -> None:
        super().__init__("TextIO", typing.TextIO, "text/plain", "r")


class BinaryIOTransformer(_StreamTransformer):
    """Bytes."""

    def __init__(self) -> None:
        super().__init__("BinaryIO", typing.BinaryIO, "application/octet-stream", "rb")
