"""What an event says of the end of a node or task."""

from __future__ import annotations

from flyteidl.admin.node_execution_pb2 import NodeExecutionClosure
from flyteidl.admin.task_execution_pb2 import TaskExecutionClosure
from flyteidl.event.event_pb2 import NodeExecutionEvent, TaskExecutionEvent


def merge_outputs(
    closure: NodeExecutionClosure | TaskExecutionClosure, event: NodeExecutionEvent | TaskExecutionEvent
) -> None:
    """Take the outputs, their place or the error, whichever the event has."""
    match event.WhichOneof("output_result"):
        case "output_uri":
            closure.output_uri = event.output_uri
        case "output_data":
            closure.output_data.CopyFrom(event.output_data)
        case "error":
            closure.error.CopyFrom(event.error)
