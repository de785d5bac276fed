"""Node executions, as the console and SDKs read them."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.node_execution_pb2 import (
    DynamicNodeWorkflowResponse,
    GetDynamicNodeWorkflowRequest,
    NodeExecution,
    NodeExecutionClosure,
    NodeExecutionForTaskListRequest,
    NodeExecutionGetDataRequest,
    NodeExecutionGetDataResponse,
    NodeExecutionGetRequest,
    NodeExecutionList,
    NodeExecutionListRequest,
    NodeExecutionMetaData,
)
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from sqlalchemy import Row, Select, and_, select

from flyte_admin.db.database import Database
from flyte_admin.db.execution_tables import EXECUTION
from flyte_admin.db.listing import Join, Listing, Page
from flyte_admin.db.schema import executions, node_executions
from flyte_admin.executions.data import DataReader, flyte_urls
from flyte_admin.executions.identify import missing_node, node_condition, task_condition
from flyte_admin.executions.keys import ExecutionKey
from flyte_admin.executions.trimming import trim_error
from flyte_core.errors import NotFound
from flyte_core.identifiers import check_identifier, check_name

_LISTING = Listing(
    "node_execution",
    node_executions,
    joins={"execution": Join(executions, and_(*(executions.c[name] == node_executions.c[name] for name in EXECUTION)))},
)
_SHOWN = select(
    *(node_executions.c[name] for name in EXECUTION),
    *(
        node_executions.c[name]
        for name in (
            "node_id",
            "input_uri",
            "closure",
            "node_execution_metadata",
            "dynamic_workflow_remote_closure_reference",
        )
    ),
)


class NodeExecutionService:
    """Reads node executions and their data."""

    def __init__(self, database: Database, data: DataReader) -> None:
        self._database = database
        self._data = data

    async def get(self, request: NodeExecutionGetRequest) -> NodeExecution:
        """Return one node execution, its error message in full.

        :raises NotFound: if there is none
        """
        return _message(await self._row(request.id))

    async def list(self, request: NodeExecutionListRequest) -> NodeExecutionList:
        """Return nodes of an execution: those at the top, or the children of ``unique_parent_id``.

        Error messages are cut to 100 bytes, as upstream's lists do.
        """
        check_identifier(request.workflow_execution_id, "workflow_execution_id")
        key = ExecutionKey.of(request.workflow_execution_id)
        of_execution = and_(*(node_executions.c[name] == value for name, value in key.columns.items()))
        query = _SHOWN.where(of_execution)
        if request.unique_parent_id:
            node = NodeExecutionIdentifier(execution_id=request.workflow_execution_id, node_id=request.unique_parent_id)
            parent = await self._database.read(
                lambda connection: connection.execute(
                    select(node_executions.c.id).where(node_condition(node_executions, node))
                ).scalar()
            )
            if parent is None:
                raise missing_node(node)
            query = query.where(node_executions.c.parent_id == parent)
        else:
            query = query.where(
                node_executions.c.parent_id.is_(None), node_executions.c.parent_task_execution_id.is_(None)
            )
        return await self._page(request, query)

    async def list_for_task(self, request: NodeExecutionForTaskListRequest) -> NodeExecutionList:
        """Return the nodes that a task execution started by itself (data planes older than event version 1)."""
        task = request.task_execution_id
        check_identifier(task.task_id, "task_execution_id.task_id")
        _check_node(task.node_execution_id, "task_execution_id.node_execution_id")
        return await self._page(
            request, _SHOWN.where(node_executions.c.parent_task_execution_id.in_(task_condition(task)))
        )

    async def _page(
        self, request: NodeExecutionListRequest | NodeExecutionForTaskListRequest, query: Select[Any]
    ) -> NodeExecutionList:
        page: Page = await self._database.read(_LISTING.query(request, query).fetch)
        return NodeExecutionList(node_executions=[_trimmed(_message(row)) for row in page.rows], token=page.token)

    async def get_data(self, request: NodeExecutionGetDataRequest) -> NodeExecutionGetDataResponse:
        """Return inputs, outputs and, for a dynamic node, the workflow that it compiled.

        :raises NotFound: if there is no such node execution
        """
        row = await self._row(request.id)
        node = _message(row)
        inputs, outputs = await self._data.both(node.input_uri, _outputs(node.closure))
        response = NodeExecutionGetDataResponse(
            inputs=inputs.link,
            outputs=outputs.link,
            full_inputs=inputs.full,
            full_outputs=outputs.full,
            flyte_urls=flyte_urls(node.id, has_deck=bool(node.closure.deck_uri)),
        )
        reference = row.dynamic_workflow_remote_closure_reference
        if reference:
            compiled = await self._data.dynamic_workflow(reference)
            response.dynamic_workflow.id.CopyFrom(compiled.primary.template.id)
            response.dynamic_workflow.compiled_workflow.CopyFrom(compiled)
            response.dynamic_workflow.dynamic_job_spec_uri = node.closure.dynamic_job_spec_uri
        return response

    async def get_dynamic_workflow(self, request: GetDynamicNodeWorkflowRequest) -> DynamicNodeWorkflowResponse:
        """Return the workflow that a dynamic node compiled.

        :raises NotFound: if there is no such node, or it compiled none
        """
        row = await self._row(request.id)
        reference = row.dynamic_workflow_remote_closure_reference
        if not reference:
            raise NotFound(f"node {request.id.node_id} of {request.id.execution_id.name} has no dynamic workflow")
        compiled = await self._data.dynamic_workflow(reference)
        return DynamicNodeWorkflowResponse(compiled_workflow=compiled)

    async def _row(self, node: NodeExecutionIdentifier) -> Row[Any]:
        _check_node(node, "id")
        query = _SHOWN.where(node_condition(node_executions, node))
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise missing_node(node)
        return row


def _check_node(node: NodeExecutionIdentifier, field: str) -> None:
    check_identifier(node.execution_id, f"{field}.execution_id")
    check_name(node.node_id, f"{field}.node_id")


def _message(row: Row[Any]) -> NodeExecution:
    execution = WorkflowExecutionIdentifier(
        project=row.execution_project, domain=row.execution_domain, name=row.execution_name
    )
    return NodeExecution(
        id=NodeExecutionIdentifier(node_id=row.node_id, execution_id=execution),
        input_uri=row.input_uri,
        closure=NodeExecutionClosure.FromString(row.closure),
        metadata=NodeExecutionMetaData.FromString(row.node_execution_metadata or b""),
    )


def _trimmed(node: NodeExecution) -> NodeExecution:
    trim_error(node.closure)
    return node


def _outputs(closure: NodeExecutionClosure) -> str | LiteralMap:
    if closure.WhichOneof("output_result") == "output_data":
        return closure.output_data
    return str(closure.output_uri)
