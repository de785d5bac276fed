"""Structures as flytekit wrote them before 1.14: a protobuf Struct, in place of MessagePack."""

from __future__ import annotations

import os
from typing import Any

from flyteidl.core.literals_pb2 import Literal
from google.protobuf.struct_pb2 import Struct

from flyte_kit.core.constants import FLYTE_USE_OLD_DC_FORMAT

_TRUE = {"1", "true", "t", "yes", "y", "on"}


def wants_old_encoding() -> bool:
    """Tell whether ``FLYTE_USE_OLD_DC_FORMAT`` is set."""
    return os.environ.get(FLYTE_USE_OLD_DC_FORMAT, "").lower() in _TRUE


def as_struct(plain: Any, **metadata: str) -> Literal:
    """Return plain data as a Struct literal."""
    struct = Struct()
    struct.update(plain)
    literal = Literal(metadata=metadata)
    literal.scalar.generic.CopyFrom(struct)
    return literal
