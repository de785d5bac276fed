"""Objects that a library saves to one file."""

from __future__ import annotations

from typing import Any, ClassVar

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import BlobType, LiteralType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_transformer import TypeTransformer


class OneFileTransformer(TypeTransformer[Any]):
    """Base of transformers that save and load a file.

    :cvar format: of the blob
    :cvar suffix: of the file's name
    """

    does_io = True
    format: ClassVar[str] = ""
    suffix: ClassVar[str] = ""

    def save(self, value: Any, path: str) -> None:
        """Write a value."""
        raise NotImplementedError(f"{type(self).__name__}.save is missing")

    def load(self, path: str) -> Any:
        """Read a value."""
        raise NotImplementedError(f"{type(self).__name__}.load is missing")

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a blob of one object."""
        return LiteralType(blob=BlobType(format=self.format, dimensionality=BlobType.SINGLE))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Save a value beside the raw outputs."""
        self.assert_type(self.python_type, python_val)
        path = ctx.file_access.get_random_local_path() + self.suffix
        self.save(python_val, path)
        literal = Literal()
        literal.scalar.blob.metadata.type.CopyFrom(self.get_literal_type(python_type).blob)
        literal.scalar.blob.uri = ctx.file_access.put_raw_data(path)
        return literal

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Fetch and load a value."""
        if lv.scalar.WhichOneof("value") != "blob":
            self.refuse(lv, self.python_type)
        path = ctx.file_access.get_random_local_path()
        ctx.file_access.get_data(lv.scalar.blob.uri, path)
        return self.load(path)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return the type for the blob's format."""
        if literal_type.WhichOneof("type") == "blob" and literal_type.blob.format == self.format:
            return self.python_type
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")
