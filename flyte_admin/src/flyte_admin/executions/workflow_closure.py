"""What a workflow event changes in an execution's closure."""

from __future__ import annotations

from flyteidl.admin.execution_pb2 import ExecutionClosure
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.event.event_pb2 import WorkflowExecutionEvent

from flyte_admin.executions.durations import set_duration
from flyte_admin.executions.phases import TERMINAL_EXECUTION


def merge_workflow_event(closure: ExecutionClosure, event: WorkflowExecutionEvent) -> None:
    """Bring ``closure`` up to the event, in place.

    As upstream: started with the first RUNNING, and a duration only for executions that ran. An execution that was
    terminated keeps who aborted it and why, whatever error the data plane reports for the abort.
    """
    closure.phase = event.phase
    closure.updated_at.CopyFrom(event.occurred_at)
    if event.phase == WorkflowExecution.RUNNING and not closure.HasField("started_at"):
        closure.started_at.CopyFrom(event.occurred_at)
    if event.phase in TERMINAL_EXECUTION and closure.HasField("started_at"):
        set_duration(closure.duration, closure.started_at, event.occurred_at)
    match event.WhichOneof("output_result"):
        case "output_uri":
            closure.outputs.uri = event.output_uri
        case "output_data":
            closure.output_data.CopyFrom(event.output_data)
        case "error":
            if not (event.phase == WorkflowExecution.ABORTED and closure.HasField("abort_metadata")):
                closure.error.CopyFrom(event.error)
