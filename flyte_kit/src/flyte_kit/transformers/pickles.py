"""Everything that no other transformer knows, pickled by cloudpickle."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import BlobType, LiteralType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_transformer import TypeTransformer, TypeTransformerFailedError
from flyte_kit.types.pickle import PICKLE_FORMAT, FlytePickle


class FlytePickleTransformer(TypeTransformer[Any]):
    """Objects as pickle files."""

    does_io = True

    def __init__(self) -> None:
        super().__init__("FlytePickle", FlytePickle, enable_type_assertions=False)

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a blob that names the class."""
        result = LiteralType(blob=BlobType(format=PICKLE_FORMAT, dimensionality=BlobType.SINGLE))
        result.metadata.update({"python_class_name": str(t.python_type() if _is_flyte_pickle(t) else t)})
        return result

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Pickle a value and put it beside the raw outputs."""
        if python_val is None:
            raise TypeTransformerFailedError("Cannot pickle None Value.")
        path = Path(ctx.file_access.get_random_local_path())
        path.write_bytes(importlib.import_module("cloudpickle").dumps(python_val))
        literal = Literal()
        literal.scalar.blob.metadata.type.CopyFrom(BlobType(format=PICKLE_FORMAT, dimensionality=BlobType.SINGLE))
        literal.scalar.blob.uri = ctx.file_access.put_raw_data(str(path))
        return literal

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Fetch a pickle and load it."""
        if lv.scalar.WhichOneof("value") != "blob":
            self.refuse(lv, expected_python_type)
        path = Path(ctx.file_access.get_random_local_path())
        ctx.file_access.get_data(lv.scalar.blob.uri, str(path))
        return importlib.import_module("cloudpickle").loads(path.read_bytes())

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return the class that stands for any pickle."""
        if literal_type.WhichOneof("type") == "blob" and literal_type.blob.format == PICKLE_FORMAT:
            return FlytePickle
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


def _is_flyte_pickle(t: Any) -> bool:
    return isinstance(t, type) and issubclass(t, FlytePickle)


PICKLES = FlytePickleTransformer()
