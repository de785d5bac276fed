"""What a node event changes in a node execution's closure and metadata."""

from __future__ import annotations

from flyteidl.admin.node_execution_pb2 import NodeExecutionClosure, NodeExecutionMetaData
from flyteidl.core.execution_pb2 import NodeExecution
from flyteidl.event.event_pb2 import NodeExecutionEvent

from flyte_admin.executions.durations import set_duration
from flyte_admin.executions.event_outputs import merge_outputs
from flyte_admin.executions.phases import TERMINAL_NODE


def merge_node_event(closure: NodeExecutionClosure, event: NodeExecutionEvent) -> None:
    """Bring ``closure`` up to the event, in place; an empty closure is begun.

    As upstream: created at the time of the first event whatever its phase, started with RUNNING, and a duration only
    for nodes that were RUNNING (not for cache hits, recovered nodes and start nodes). The inline parts of the event
    (output data, a dynamic workflow) must have been moved to the object store before.
    """
    if not closure.HasField("created_at"):
        closure.created_at.CopyFrom(event.occurred_at)
    reported = event.reported_at if event.HasField("reported_at") else event.occurred_at
    closure.updated_at.CopyFrom(reported)
    closure.phase = event.phase
    if event.phase == NodeExecution.RUNNING and not closure.HasField("started_at"):
        closure.started_at.CopyFrom(event.occurred_at)
    if event.phase in TERMINAL_NODE and closure.HasField("started_at"):
        set_duration(closure.duration, closure.started_at, event.occurred_at)
    merge_outputs(closure, event)
    _merge_target(closure, event)
    if event.deck_uri and (event.phase in TERMINAL_NODE or event.phase == NodeExecution.RUNNING):
        closure.deck_uri = event.deck_uri


def _merge_target(closure: NodeExecutionClosure, event: NodeExecutionEvent) -> None:
    if event.HasField("workflow_node_metadata"):
        child = event.workflow_node_metadata.execution_id
        closure.workflow_node_metadata.executionId.CopyFrom(child)
    elif event.HasField("task_node_metadata"):
        reported, kept = event.task_node_metadata, closure.task_node_metadata
        kept.cache_status = reported.cache_status
        if reported.HasField("catalog_key"):
            kept.catalog_key.CopyFrom(reported.catalog_key)
        kept.checkpoint_uri = reported.checkpoint_uri
        if reported.dynamic_workflow.dynamic_job_spec_uri:
            closure.dynamic_job_spec_uri = reported.dynamic_workflow.dynamic_job_spec_uri


def merge_node_metadata(metadata: NodeExecutionMetaData, event: NodeExecutionEvent) -> None:
    """Bring the node's metadata up to the event, in place.

    The flags are only ever switched on: upstream's last event of a dynamic node no longer says that it is a parent.
    """
    metadata.retry_group = metadata.retry_group or event.retry_group
    metadata.spec_node_id = metadata.spec_node_id or event.spec_node_id
    metadata.is_parent_node |= event.is_parent
    metadata.is_dynamic |= event.is_dynamic
    metadata.is_array |= event.is_array
    metadata.is_eager |= event.is_eager
