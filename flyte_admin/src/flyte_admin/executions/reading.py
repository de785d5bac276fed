"""Executions, as the console and SDKs read them."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest
from flyteidl.admin.execution_pb2 import (
    Execution,
    ExecutionClosure,
    ExecutionList,
    ExecutionSpec,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetDataResponse,
    WorkflowExecutionGetRequest,
)
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from sqlalchemy import Row, and_, select

from flyte_admin.db.database import Database
from flyte_admin.db.execution_tables import EXECUTION
from flyte_admin.db.filters import parse_filters
from flyte_admin.db.listing import Join, Listing
from flyte_admin.db.schema import execution_tags, executions, launch_plans, tasks, workflows
from flyte_admin.executions.data import DataReader
from flyte_admin.executions.identify import execution_condition, missing_execution
from flyte_admin.executions.trimming import trim_error
from flyte_core.identifiers import check_identifier, check_name

_TAGS = Join(execution_tags, and_(*(execution_tags.c[name] == executions.c[name] for name in EXECUTION)))
_LISTING = Listing(
    "execution",
    executions,
    joins={
        "launch_plan": Join(launch_plans, launch_plans.c.id == executions.c.launch_plan_id),
        "workflow": Join(workflows, workflows.c.id == executions.c.workflow_id),
        "task": Join(tasks, tasks.c.id == executions.c.task_id),
        "execution_tag": _TAGS,
        "admin_tag": _TAGS,
        "execution_admin_tag": _TAGS,
    },
)
_SHOWN = select(*(executions.c[name] for name in (*EXECUTION, "spec", "closure", "inputs_uri")))


class ExecutionReader:
    """Reads executions and their data."""

    def __init__(self, database: Database, data: DataReader) -> None:
        self._database = database
        self._data = data

    async def get(self, request: WorkflowExecutionGetRequest) -> Execution:
        """Return one execution, its error message in full.

        :raises NotFound: if there is none
        """
        return _message(await self._row(request.id))

    async def list(self, request: ResourceListRequest) -> ExecutionList:
        """Return executions of a project's domain, archived ones only where a filter on ``state`` is given.

        Error messages are cut to 100 bytes, as upstream's lists do.
        """
        scope: NamedEntityIdentifier = request.id
        check_name(scope.project, "id.project")
        check_name(scope.domain, "id.domain")
        query = _SHOWN.where(
            executions.c.execution_project == scope.project, executions.c.execution_domain == scope.domain
        )
        if scope.name:
            query = query.where(executions.c.execution_name == scope.name)
        if not any(
            term.field == "state" and term.entity in ("", "execution") for term in parse_filters(request.filters)
        ):
            query = query.where(executions.c.state == 0)
        page = await self._database.read(_LISTING.query(request, query).fetch)
        found = [_message(row) for row in page.rows]
        for execution in found:
            trim_error(execution.closure)
        return ExecutionList(executions=found, token=page.token)

    async def get_data(self, request: WorkflowExecutionGetDataRequest) -> WorkflowExecutionGetDataResponse:
        """Return the inputs with which the workflow runs, and its outputs once it succeeded.

        :raises NotFound: if there is no such execution
        """
        row = await self._row(request.id)
        inputs, outputs = await self._data.both(row.inputs_uri, _outputs(ExecutionClosure.FromString(row.closure)))
        return WorkflowExecutionGetDataResponse(
            inputs=inputs.link, outputs=outputs.link, full_inputs=inputs.full, full_outputs=outputs.full
        )

    async def _row(self, execution: WorkflowExecutionIdentifier) -> Row[Any]:
        check_identifier(execution, "id")
        query = _SHOWN.where(execution_condition(executions, execution))
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise missing_execution(execution)
        return row


def _message(row: Row[Any]) -> Execution:
    return Execution(
        id=WorkflowExecutionIdentifier(
            project=row.execution_project, domain=row.execution_domain, name=row.execution_name
        ),
        spec=ExecutionSpec.FromString(row.spec),
        closure=ExecutionClosure.FromString(row.closure),
    )


def _outputs(closure: ExecutionClosure) -> str | LiteralMap:
    match closure.WhichOneof("output_result"):
        case "output_data":
            return closure.output_data
        case "outputs":
            return closure.outputs.values if closure.outputs.HasField("values") else str(closure.outputs.uri)
        case _:
            return ""
