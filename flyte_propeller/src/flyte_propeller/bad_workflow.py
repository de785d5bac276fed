"""Ends a FlyteWorkflow that the machine cannot be asked about: its manifest or status cannot be understood."""

from __future__ import annotations

from collections.abc import Sequence

from flyteidl.admin.event_pb2 import WorkflowExecutionEventRequest
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.event.event_pb2 import WorkflowExecutionEvent
from google.protobuf.json_format import MessageToDict

from flyte_core.cluster import POD, Manifest
from flyte_core.errors import Unavailable
from flyte_core.events import Verdict
from flyte_core.phases import WorkflowPhase
from flyte_propeller.machine.event_requests import PRODUCER, timestamp
from flyte_propeller.machine.retry import truncated
from flyte_propeller.shell.children import cascading_abort
from flyte_propeller.shell.round import Ports
from flyte_propeller.shell.saving import ended_metadata

TASK_FINALIZER = "flyte.org/finalizer-k8s"


async def fail_workflow(
    manifest: Manifest,
    message: str,
    ports: Ports,
    *,
    code: str = "BadWorkflow",
    children: Sequence[WorkflowExecutionIdentifier] = (),
) -> None:
    """Report FAILED once with the reason, delete the pods that it owns, and mark it as ended.

    :param children: executions that its nodes have started and that may not have ended: they are terminated
    :raises flyte_core.errors.SystemFault: if the control plane or the cluster does not answer; may be repeated
    """
    metadata, now = manifest["metadata"], ports.clock.now()
    error = truncated(ExecutionError(code=code, message=message, kind=ExecutionError.SYSTEM))
    await _report(manifest, error, ports)
    await _delete_pods(manifest, ports)
    for child in children:
        await ports.admin.terminate_child(child, cascading_abort(str(metadata["name"]), message))
    status = {
        "phase": int(WorkflowPhase.FAILED),
        "message": message[:1024],
        "stoppedAt": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "error": MessageToDict(error),
    }
    await ports.cluster.replace({**manifest, "metadata": ended_metadata(metadata, now), "status": status})


async def _report(manifest: Manifest, error: ExecutionError, ports: Ports) -> None:
    ids = manifest.get("executionId")
    if not isinstance(ids, dict) or not all(
        isinstance(ids.get(k), str) and ids[k] for k in ("project", "domain", "name")
    ):
        return  # nobody to report to: the label and the status say it
    execution = WorkflowExecutionIdentifier(project=ids["project"], domain=ids["domain"], name=ids["name"])
    event = WorkflowExecutionEvent(
        execution_id=execution,
        producer_id=PRODUCER,
        phase=WorkflowExecution.FAILED,
        occurred_at=timestamp(ports.clock.now()),
        error=error,
    )
    replies = await ports.admin.record([WorkflowExecutionEventRequest(event=event)])
    fresh = not (manifest.get("status") or {}).get("phase")
    if fresh and replies and replies[0].verdict is Verdict.UNKNOWN_EXECUTION:
        raise Unavailable(f"the control plane does not know the execution yet: {replies[0].message}")


async def _delete_pods(manifest: Manifest, ports: Ports) -> None:
    metadata = manifest["metadata"]
    execution = (metadata.get("labels") or {}).get("execution-id", metadata["name"])  # of a child that of its parent
    pods = await ports.cluster.list(POD, namespace=metadata["namespace"], labels=f"execution-id={execution}")
    for pod in pods.items:
        owners = [owner["uid"] for owner in pod["metadata"].get("ownerReferences") or ()]
        if metadata["uid"] not in owners:
            continue
        left = [name for name in pod["metadata"].get("finalizers") or () if name != TASK_FINALIZER]
        if left != (pod["metadata"].get("finalizers") or []):
            await ports.cluster.replace({**pod, "metadata": {**pod["metadata"], "finalizers": left}})
        await ports.cluster.delete(POD, metadata["namespace"], pod["metadata"]["name"], uid=pod["metadata"]["uid"])
