"""Error messages in lists: the first 100 bytes, as upstream's; the single object has all of it."""

from __future__ import annotations

from flyteidl.admin.execution_pb2 import ExecutionClosure
from flyteidl.admin.node_execution_pb2 import NodeExecutionClosure

TRIMMED_BYTES = 100
"""Bytes of an error message that a list shows."""


def trim_error(closure: ExecutionClosure | NodeExecutionClosure) -> None:
    """Cut the error message in place; a character that would be cut in two is left out."""
    if closure.WhichOneof("output_result") == "error":
        message = closure.error.message.encode()
        if len(message) > TRIMMED_BYTES:
            closure.error.message = message[:TRIMMED_BYTES].decode(errors="ignore")
