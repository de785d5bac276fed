"""What a task event changes in a task execution's closure: logs, reasons, external resources, times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flyteidl.admin.task_execution_pb2 import Reason, TaskExecutionClosure
from flyteidl.core.execution_pb2 import TaskExecution, TaskLog
from flyteidl.event.event_pb2 import ExternalResourceInfo, TaskExecutionEvent, TaskExecutionMetadata
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from flyte_admin.executions.durations import set_duration
from flyte_admin.executions.event_outputs import merge_outputs
from flyte_admin.executions.phases import TERMINAL_TASK

_ENDED = TERMINAL_TASK | {TaskExecution.RETRYABLE_FAILED}
_PENDING = frozenset({TaskExecution.QUEUED, TaskExecution.INITIALIZING, TaskExecution.WAITING_FOR_RESOURCES})


def merge_task_event(closure: TaskExecutionClosure, event: TaskExecutionEvent) -> None:
    """Bring ``closure`` up to the event, in place; an empty closure is begun.

    As upstream: times as for nodes, logs merged by (uri, name), reasons appended, ``custom_info`` patched as RFC 7396
    says, external resources merged by (index, retry attempt).
    """
    if not closure.HasField("created_at"):
        closure.created_at.CopyFrom(event.occurred_at)
        closure.task_type = event.task_type
        closure.event_version = event.event_version
    reported = event.reported_at if event.HasField("reported_at") else event.occurred_at
    closure.updated_at.CopyFrom(reported)
    closure.phase = event.phase
    _merge_times(closure, event)
    _merge_logs(closure, event)
    merge_outputs(closure, event)
    _merge_reasons(closure, event)
    if event.HasField("custom_info"):
        patch_struct(closure.custom_info, event.custom_info)
    if event.HasField("metadata"):
        _merge_metadata(closure.metadata, event.metadata)
    if event.HasField("log_context"):
        closure.log_context.CopyFrom(event.log_context)


def _merge_times(closure: TaskExecutionClosure, event: TaskExecutionEvent) -> None:
    if event.phase == TaskExecution.RUNNING and not closure.HasField("started_at"):
        closure.started_at.CopyFrom(event.occurred_at)
    if event.phase in _ENDED and closure.HasField("started_at"):
        set_duration(closure.duration, closure.started_at, event.occurred_at)


def _merge_logs(closure: TaskExecutionClosure, event: TaskExecutionEvent) -> None:
    if not closure.logs and not event.logs:
        return
    kept = merged_logs(closure.logs, event.logs)
    if event.phase in _PENDING:
        kept = [log for log in kept if log.ShowWhilePending]
    elif event.phase in TERMINAL_TASK:
        kept = [log for log in kept if not log.HideOnceFinished]
    del closure.logs[:]
    closure.logs.extend(kept)


def merged_logs(known: Iterable[TaskLog], reported: Iterable[TaskLog]) -> list[TaskLog]:
    """Return the logs reported, then those known before that were not reported again; (uri, name) tells them apart."""
    result = list(reported)
    seen = {(log.uri, log.name) for log in result}
    result.extend(log for log in known if (log.uri, log.name) not in seen)
    return result


def _merge_reasons(closure: TaskExecutionClosure, event: TaskExecutionEvent) -> None:
    if event.reasons:
        for reason in event.reasons:
            _append_reason(closure, Reason(occurred_at=reason.occurred_at, message=reason.reason))
    elif event.reason:
        _append_reason(closure, Reason(occurred_at=event.occurred_at, message=event.reason))


def _append_reason(closure: TaskExecutionClosure, reason: Reason) -> None:
    closure.reason = reason.message
    if not (closure.reasons and closure.reasons[-1].message == reason.message):
        closure.reasons.append(reason)


def _merge_metadata(known: TaskExecutionMetadata, reported: TaskExecutionMetadata) -> None:
    known.generated_name = reported.generated_name or known.generated_name
    known.plugin_identifier = reported.plugin_identifier or known.plugin_identifier
    known.instance_class = reported.instance_class
    if reported.resource_pool_info:
        del known.resource_pool_info[:]
        known.resource_pool_info.extend(reported.resource_pool_info)
    _merge_resources(known.external_resources, reported.external_resources)


def _merge_resources(
    known: RepeatedCompositeFieldContainer[ExternalResourceInfo], reported: Iterable[ExternalResourceInfo]
) -> None:
    by_key = {(resource.index, resource.retry_attempt): resource for resource in known}
    for resource in reported:
        key = (resource.index, resource.retry_attempt)
        if key in by_key:
            _merge_resource(by_key[key], resource)
        else:
            by_key[key] = known.add()
            by_key[key].CopyFrom(resource)


def _merge_resource(known: ExternalResourceInfo, reported: ExternalResourceInfo) -> None:
    logs = merged_logs(list(reported.logs), list(known.logs))
    known.MergeFrom(
        ExternalResourceInfo(external_id=reported.external_id, phase=reported.phase, cache_status=reported.cache_status)
    )
    if reported.HasField("workflow_node_metadata"):
        known.workflow_node_metadata.CopyFrom(reported.workflow_node_metadata)
    if reported.HasField("custom_info"):
        patch_struct(known.custom_info, reported.custom_info)
    del known.logs[:]
    known.logs.extend(logs)


def patch_struct(target: Struct, patch: Struct) -> None:
    """Apply ``patch`` to ``target`` in place as a JSON merge patch (RFC 7396): null removes, objects merge."""
    patched = _patched(MessageToDict(target), MessageToDict(patch))
    target.Clear()
    target.update(patched)


def _patched(value: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, part in patch.items():
        if part is None:
            result.pop(key, None)
        else:
            result[key] = _patched(result.get(key), part)
    return result
