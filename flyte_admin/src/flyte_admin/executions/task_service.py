"""Task executions: the attempts of each node's task."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.task_execution_pb2 import (
    TaskExecution,
    TaskExecutionClosure,
    TaskExecutionGetDataRequest,
    TaskExecutionGetDataResponse,
    TaskExecutionGetRequest,
    TaskExecutionList,
    TaskExecutionListRequest,
)
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    ResourceType,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.literals_pb2 import LiteralMap
from sqlalchemy import Row, and_, select

from flyte_admin.db.database import Database
from flyte_admin.db.execution_tables import EXECUTION
from flyte_admin.db.listing import Join, Listing
from flyte_admin.db.registry_tables import ENTITY
from flyte_admin.db.schema import executions, node_executions, task_executions, tasks
from flyte_admin.executions.data import DataReader, flyte_urls
from flyte_admin.executions.identify import attempt_condition, missing_task, node_condition
from flyte_core.identifiers import check_identifier, check_name

_NODE = (*EXECUTION, "node_id")
_LISTING = Listing(
    "task_execution",
    task_executions,
    joins={
        "task": Join(tasks, and_(*(tasks.c[name] == task_executions.c[name] for name in ENTITY))),
        "execution": Join(executions, and_(*(executions.c[name] == task_executions.c[name] for name in EXECUTION))),
        "node_execution": Join(
            node_executions, and_(*(node_executions.c[name] == task_executions.c[name] for name in _NODE))
        ),
    },
)
_SHOWN = select(
    *(task_executions.c[name] for name in (*_NODE, *ENTITY, "retry_attempt", "input_uri", "closure")),
)


class TaskExecutionService:
    """Reads task executions and their data."""

    def __init__(self, database: Database, data: DataReader) -> None:
        self._database = database
        self._data = data

    async def get(self, request: TaskExecutionGetRequest) -> TaskExecution:
        """Return one attempt.

        :raises NotFound: if there is none
        """
        task = request.id
        check_identifier(task.task_id, "id.task_id")
        _check_node(task.node_execution_id, "id.node_execution_id")
        query = _SHOWN.where(attempt_condition(task))
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise missing_task(task)
        return _message(row)

    async def list(self, request: TaskExecutionListRequest) -> TaskExecutionList:
        """Return the attempts in one node, errors in full."""
        _check_node(request.node_execution_id, "node_execution_id")
        query = _SHOWN.where(node_condition(task_executions, request.node_execution_id))
        page = await self._database.read(_LISTING.query(request, query).fetch)
        return TaskExecutionList(task_executions=[_message(row) for row in page.rows], token=page.token)

    async def get_data(self, request: TaskExecutionGetDataRequest) -> TaskExecutionGetDataResponse:
        """Return inputs and outputs of one attempt.

        :raises NotFound: if there is no such attempt
        """
        task = await self.get(TaskExecutionGetRequest(id=request.id))
        inputs, outputs = await self._data.both(task.input_uri, _outputs(task.closure))
        return TaskExecutionGetDataResponse(
            inputs=inputs.link,
            outputs=outputs.link,
            full_inputs=inputs.full,
            full_outputs=outputs.full,
            flyte_urls=flyte_urls(task.id.node_execution_id, has_deck=False, attempt=task.id.retry_attempt),
        )


def _check_node(node: NodeExecutionIdentifier, field: str) -> None:
    check_identifier(node.execution_id, f"{field}.execution_id")
    check_name(node.node_id, f"{field}.node_id")


def _message(row: Row[Any]) -> TaskExecution:
    execution = WorkflowExecutionIdentifier(
        project=row.execution_project, domain=row.execution_domain, name=row.execution_name
    )
    return TaskExecution(
        id=TaskExecutionIdentifier(
            task_id=Identifier(
                resource_type=ResourceType.TASK,
                project=row.project,
                domain=row.domain,
                name=row.name,
                version=row.version,
            ),
            node_execution_id=NodeExecutionIdentifier(node_id=row.node_id, execution_id=execution),
            retry_attempt=row.retry_attempt,
        ),
        input_uri=row.input_uri,
        closure=TaskExecutionClosure.FromString(row.closure),
    )


def _outputs(closure: TaskExecutionClosure) -> str | LiteralMap:
    if closure.WhichOneof("output_result") == "output_data":
        return closure.output_data
    return str(closure.output_uri)
