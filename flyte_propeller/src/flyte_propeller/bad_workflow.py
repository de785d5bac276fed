"""Ends a FlyteWorkflow that the machine cannot be asked about: its manifest or status cannot be understood."""

from __future__ import annotations

from flyteidl.admin.event_pb2 import WorkflowExecutionEventRequest
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.event.event_pb2 import WorkflowExecutionEvent

from flyte_core.cluster import POD, Manifest
from flyte_core.phases import WorkflowPhase
from flyte_propeller.machine.event_requests import PRODUCER, timestamp
from flyte_propeller.shell.round import FINALIZER, Ports

TASK_FINALIZER = "flyte.org/finalizer-k8s"


async def fail_unreadable(manifest: Manifest, message: str, ports: Ports, *, code: str = "BadWorkflow") -> None:
    """Report FAILED once with the reason, delete the pods that it owns, and mark it as ended.

    :raises flyte_core.errors.SystemFault: if the control plane or the cluster does not answer; may be repeated
    """
    metadata, now = manifest["metadata"], ports.clock.now()
    ids = manifest.get("executionId") or {}
    error = ExecutionError(code=code, message=message, kind=ExecutionError.SYSTEM)
    if all(ids.get(part) for part in ("project", "domain", "name")):
        execution = WorkflowExecutionIdentifier(project=ids["project"], domain=ids["domain"], name=ids["name"])
        event = WorkflowExecutionEvent(
            execution_id=execution,
            producer_id=PRODUCER,
            phase=WorkflowExecution.FAILED,
            occurred_at=timestamp(now),
            error=error,
        )
        await ports.admin.record([WorkflowExecutionEventRequest(event=event)])
    await _delete_pods(manifest, ports)
    labels = {
        **(metadata.get("labels") or {}),
        "termination-status": "terminated",
        "completed-time": now.strftime("%Y-%m-%d.%H"),
    }
    finalizers = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
    status = {
        "phase": int(WorkflowPhase.FAILED),
        "message": message[:1024],
        "stoppedAt": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "error": {"code": code, "message": message, "kind": "SYSTEM"},
    }
    ended = {**manifest, "metadata": {**metadata, "labels": labels, "finalizers": finalizers}, "status": status}
    await ports.cluster.replace(ended)


async def _delete_pods(manifest: Manifest, ports: Ports) -> None:
    metadata = manifest["metadata"]
    selector = f"execution-id={metadata['name']}"
    pods = await ports.cluster.list(POD, namespace=metadata["namespace"], labels=selector)
    for pod in pods.items:
        owners = [owner["uid"] for owner in pod["metadata"].get("ownerReferences") or ()]
        if metadata["uid"] not in owners:
            continue
        left = [name for name in pod["metadata"].get("finalizers") or () if name != TASK_FINALIZER]
        if left != (pod["metadata"].get("finalizers") or []):
            await ports.cluster.replace({**pod, "metadata": {**pod["metadata"], "finalizers": left}})
        await ports.cluster.delete(POD, metadata["namespace"], pod["metadata"]["name"], uid=pod["metadata"]["uid"])
