"""numpy arrays as ``.npy`` files."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import BlobType, LiteralType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.hash import HashMethod
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformer, TypeTransformerFailedError, annotations_of

NUMPY_ARRAY_FORMAT = "NumpyArray"


class NumpyArrayTransformer(TypeTransformer[Any]):
    """``np.ndarray``; ``Annotated[np.ndarray, kwtypes(allow_pickle=True)]`` for arrays of objects."""

    does_io = True

    def __init__(self) -> None:
        super().__init__("Numpy Array", np.ndarray)

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a blob of one object."""
        return LiteralType(blob=BlobType(format=NUMPY_ARRAY_FORMAT, dimensionality=BlobType.SINGLE))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Save the array beside the raw outputs."""
        options = _options(python_type)
        path = ctx.file_access.get_random_local_path() + ".npy"
        np.save(path, python_val, allow_pickle=bool(options.get("allow_pickle", False)))
        literal = Literal()
        literal.scalar.blob.metadata.type.CopyFrom(self.get_literal_type(python_type).blob)
        literal.scalar.blob.uri = ctx.file_access.put_raw_data(path)
        return literal

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Fetch and load an array."""
        if lv.scalar.WhichOneof("value") != "blob":
            self.refuse(lv, np.ndarray)
        options = _options(expected_python_type)
        path = ctx.file_access.get_random_local_path()
        ctx.file_access.get_data(lv.scalar.blob.uri, path)
        return np.load(path, allow_pickle=bool(options.get("allow_pickle", False)), mmap_mode=options.get("mmap_mode"))

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return ``np.ndarray``."""
        if literal_type.WhichOneof("type") == "blob" and literal_type.blob.format == NUMPY_ARRAY_FORMAT:
            return np.ndarray
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


def _options(python_type: Any) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for each in annotations_of(python_type):
        if isinstance(each, OrderedDict):
            options = dict(each)
        elif not isinstance(each, HashMethod):
            raise TypeTransformerFailedError(f"The metadata for {python_type} must be of type kwtypes or HashMethod.")
    return options


TypeEngine.register(NumpyArrayTransformer())
