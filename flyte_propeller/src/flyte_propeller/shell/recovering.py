"""Looks up what a node did in the execution that is recovered, and takes its inputs and outputs over."""

from __future__ import annotations

import asyncio
import logging

from flyteidl.admin.node_execution_pb2 import NodeExecution as Record
from flyteidl.core.execution_pb2 import NodeExecution
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.event.event_pb2 import DynamicWorkflowNodeMetadata, TaskNodeMetadata, WorkflowNodeMetadata
from google.protobuf.message import DecodeError

from flyte_core.errors import NotFound, TooLarge
from flyte_core.storage import BlobStore
from flyte_propeller.machine.facts import PastNode
from flyte_propeller.machine.workflow import Node, Workflow
from flyte_propeller.shell.ports import PastExecutions

LOG = logging.getLogger(__name__)
ENDED_WELL = (NodeExecution.SUCCEEDED, NodeExecution.RECOVERED)
UNKNOWN = PastNode()


class Recovering:
    """Reads the past of one execution's nodes.

    :param past: None where nothing can be read: everything runs anew
    :param limit: bytes of one inputs or outputs object
    """

    def __init__(self, workflow: Workflow, past: PastExecutions | None, store: BlobStore, limit: int) -> None:
        self._workflow = workflow
        self._past = past
        self._store = store
        self._limit = limit

    async def node(self, node: Node) -> PastNode:
        """Return the node's past. One whose outputs are not to be had any more counts as one that never ran.

        :raises flyte_core.errors.Unavailable: if the control plane or the object store does not answer
        """
        if self._past is None:
            return UNKNOWN
        identifier = NodeExecutionIdentifier(node_id=node.unique_id, execution_id=self._workflow.recovers)
        record = await self._past.node(identifier)
        if record is None:
            return UNKNOWN
        if record.closure.phase not in ENDED_WELL:
            return PastNode(checkpoint=record.closure.task_node_metadata.checkpoint_uri)
        inputs, outputs = await asyncio.gather(
            self._read(record.input_uri), self._read(record.closure.output_uri or record.closure.output_data)
        )
        dynamic = DynamicWorkflowNodeMetadata()
        if inputs is None or outputs is None or record.metadata.is_dynamic:
            try:
                data = await self._past.node_data(identifier)
            except NotFound:
                return UNKNOWN
            inputs, outputs = inputs or data.full_inputs, outputs or data.full_outputs
            dynamic.id.CopyFrom(data.dynamic_workflow.id)
            dynamic.compiled_workflow.CopyFrom(data.dynamic_workflow.compiled_workflow)
        if node.task is not None and not set(node.task.interface.outputs.variables) <= set(outputs.literals):
            LOG.warning("%s: node %s runs again: its outputs are gone", self._workflow.execution.name, node.unique_id)
            return UNKNOWN
        where = self._workflow.paths_of(node)
        await self._store.write(where.inputs, inputs.SerializeToString(deterministic=True))
        await self._store.write(where.outputs(0), outputs.SerializeToString(deterministic=True))
        return await self._taken_over(record, outputs, dynamic)

    async def _taken_over(self, record: Record, outputs: LiteralMap, dynamic: DynamicWorkflowNodeMetadata) -> PastNode:
        closure, deck = record.closure, record.closure.deck_uri
        task, child = None, None
        if closure.HasField("task_node_metadata"):
            known = closure.task_node_metadata
            task = TaskNodeMetadata(cache_status=known.cache_status)
            if known.HasField("catalog_key"):
                task.catalog_key.CopyFrom(known.catalog_key)
            if dynamic.HasField("compiled_workflow") and record.metadata.is_dynamic:
                task.dynamic_workflow.CopyFrom(dynamic)
        elif closure.HasField("workflow_node_metadata"):
            child = WorkflowNodeMetadata(execution_id=closure.workflow_node_metadata.executionId)
        if deck and not (self._store.owns(deck) and await self._store.stat(deck) is not None):
            deck = ""
        return PastNode(outputs=outputs, deck_uri=deck, task=task, child=child, dynamic=record.metadata.is_dynamic)

    async def _read(self, uri: str | LiteralMap) -> LiteralMap | None:
        """Return the literals, None where they are not to be had; nothing was given where there is no URI."""
        if isinstance(uri, LiteralMap):
            return uri
        if not uri:
            return LiteralMap()
        if not self._store.owns(uri):
            return None
        try:
            return LiteralMap.FromString(await self._store.read(uri, limit=self._limit))
        except (NotFound, TooLarge, DecodeError):
            return None
