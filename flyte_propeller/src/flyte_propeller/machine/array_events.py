"""Events of array nodes: one task execution stands for all elements, each an external resource of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flyteidl.admin.event_pb2 import TaskExecutionEventRequest
from flyteidl.core.execution_pb2 import ExecutionError, TaskExecution, TaskLog
from flyteidl.event.event_pb2 import ExternalResourceInfo, TaskExecutionEvent, TaskExecutionMetadata

from flyte_core.identifiers import attempt_name
from flyte_propeller.machine.array_state import FAILED, SUCCEEDED, ArrayState
from flyte_propeller.machine.event_requests import node_execution, timestamp
from flyte_propeller.machine.retry import truncated
from flyte_propeller.machine.workflow import Node, Workflow

TASK_TYPE = "container_array"
"""Of the task execution, whatever type the mapped task has: clients show elements for this one."""
PLUGIN = "k8s-array"
ENDED = {SUCCEEDED: TaskExecution.SUCCEEDED, FAILED: TaskExecution.FAILED}
"""Outcome of an element → its phase for the control plane."""


def resource(
    workflow: Workflow, array: Node, element: int, attempt: int, phase: int, logs: Iterable[TaskLog] = ()
) -> ExternalResourceInfo:
    """Return what is told of an element's attempt; the names of its logs end in its index (upstream's form)."""
    name = attempt_name(workflow.execution.name, array.unique_id, attempt)
    info = ExternalResourceInfo(
        external_id=f"{name}-n{element}-{attempt}", index=element, retry_attempt=attempt, phase=phase
    )
    for log in logs:
        own = info.logs.add()
        own.CopyFrom(log)
        own.name = f"{log.name}-{element}"
    return info


def resources(workflow: Workflow, array: Node, state: ArrayState) -> list[ExternalResourceInfo]:
    """Return all elements that have ended, with their phases; of a fresh array all elements, with none."""
    return [
        resource(workflow, array, element, attempt, ENDED.get(outcome, TaskExecution.UNDEFINED))
        for element, (outcome, attempt) in enumerate(state.outcomes())
        if outcome in ENDED or not state.begun
    ]


def array_event(
    workflow: Workflow,
    array: Node,
    phase: int,
    now: datetime,
    *,
    version: int = 0,
    elements: Iterable[ExternalResourceInfo] = (),
    error: ExecutionError | None = None,
) -> TaskExecutionEventRequest:
    """Return an event of the one task execution of an array node. It has only one attempt (upstream's rule)."""
    assert array.array is not None, "an array node has an element"
    event = TaskExecutionEvent(
        parent_node_execution_id=node_execution(workflow, array),
        phase=phase,
        phase_version=version,
        occurred_at=timestamp(now),
        task_type=TASK_TYPE,
        event_version=1,
        metadata=TaskExecutionMetadata(plugin_identifier=PLUGIN, external_resources=elements),
    )
    task = array.array.element.task
    if task is not None:
        event.task_id.CopyFrom(task.id)
    where = workflow.paths_of(array)
    if phase == TaskExecution.QUEUED:
        event.input_uri = where.inputs
    elif phase == TaskExecution.SUCCEEDED:
        event.output_uri = where.outputs(0)
    if error is not None:
        event.error.CopyFrom(truncated(error))
    return TaskExecutionEventRequest(event=event)
