"""Moves what events carry inline into the object store, so that rows stay small and the data has an address."""

from __future__ import annotations

from dataclasses import dataclass

from flyteidl.admin.event_pb2 import NodeExecutionEventRequest, WorkflowExecutionEventRequest
from flyteidl.core.identifier_pb2 import Identifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.event.event_pb2 import DynamicWorkflowNodeMetadata

from flyte_admin.executions.ledger import PreparedEvent
from flyte_core.errors import TooLarge
from flyte_core.events import ExecutionEventRequest
from flyte_core.paths import join
from flyte_core.storage import BlobStore


@dataclass(frozen=True, slots=True)
class Offloader:
    """Writes inline data of events where upstream would.

    :ivar metadata_prefix: URI of the control plane's execution data (upstream: ``{container}/metadata``)
    :ivar largest: bytes of one inline map of literals (upstream's ``remoteData.maxSizeInBytes``); 0: no limit
    """

    store: BlobStore
    metadata_prefix: str
    largest: int = 0

    async def prepare(self, request: ExecutionEventRequest) -> PreparedEvent:
        """Return the event with URIs in place of inline data.

        :raises TooLarge: if inline inputs or outputs are above the limit
        """
        if not carries_data(request):
            return PreparedEvent(request)
        slim = type(request)()
        slim.CopyFrom(request)
        event = slim.event
        folder = self._folder(request)
        if event.WhichOneof("output_result") == "output_data":
            event.output_uri = await self._write(join(folder, "offloaded_outputs"), event.output_data)
        if isinstance(request, WorkflowExecutionEventRequest):
            return PreparedEvent(slim)
        if event.WhichOneof("input_value") == "input_data":
            event.input_uri = await self._write(join(folder, "offloaded_inputs"), event.input_data)
        reference = self.reference_of(request)
        if reference:
            dynamic = event.task_node_metadata.dynamic_workflow
            await self.store.write(reference, dynamic.compiled_workflow.SerializeToString(deterministic=True))
            dynamic.ClearField("compiled_workflow")
        return PreparedEvent(slim, reference)

    def reference_of(self, request: ExecutionEventRequest) -> str:
        """Return where the event's compiled dynamic workflow goes; empty where it has none."""
        dynamic = _dynamic_workflow(request)
        return self._dynamic_uri(request, dynamic.id) if dynamic is not None else ""

    async def _write(self, uri: str, literals: LiteralMap) -> str:
        data = literals.SerializeToString(deterministic=True)
        if self.largest and len(data) > self.largest:
            raise TooLarge(f"{uri} has {len(data)} bytes, the limit is {self.largest} (remote_data.max_size_bytes)")
        await self.store.write(uri, data)
        return uri

    def _folder(self, request: ExecutionEventRequest) -> str:
        event = request.event
        if isinstance(request, WorkflowExecutionEventRequest):
            return self._execution_folder(event.execution_id)
        node = event.id if isinstance(request, NodeExecutionEventRequest) else event.parent_node_execution_id
        parts = [self._execution_folder(node.execution_id), node.node_id]
        if not isinstance(request, NodeExecutionEventRequest):
            parts += [event.task_id.name, event.task_id.version, str(event.retry_attempt)]
        return join(*parts)

    def _execution_folder(self, execution: WorkflowExecutionIdentifier) -> str:
        return join(self.metadata_prefix, execution.project, execution.domain, execution.name)

    def _dynamic_uri(self, request: ExecutionEventRequest, workflow: Identifier) -> str:
        node = request.event.id
        execution = node.execution_id
        name = "_".join((workflow.project, workflow.domain, workflow.name, workflow.version))
        return join(
            self.metadata_prefix, "admin", execution.project, execution.domain, execution.name, node.node_id, name
        )


def carries_data(request: ExecutionEventRequest) -> bool:
    """Tell whether the event carries anything inline that has to be moved."""
    event = request.event
    if event.WhichOneof("output_result") == "output_data":
        return True
    if isinstance(request, WorkflowExecutionEventRequest):
        return False
    return event.WhichOneof("input_value") == "input_data" or _dynamic_workflow(request) is not None


def _dynamic_workflow(request: ExecutionEventRequest) -> DynamicWorkflowNodeMetadata | None:
    if not isinstance(request, NodeExecutionEventRequest) or not request.event.HasField("task_node_metadata"):
        return None
    dynamic = request.event.task_node_metadata.dynamic_workflow
    return dynamic if dynamic.HasField("compiled_workflow") else None
