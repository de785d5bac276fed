"""Pages below ``/console``, where stock clients send people: there is no web console yet, but executions are shown.

The pages have no scripts; what they show comes from the control plane over gRPC, like everybody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc
from flyteidl.admin.common_pb2 import Sort
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import NodeExecution, NodeExecutionGetRequest, NodeExecutionListRequest
from flyteidl.admin.task_execution_pb2 import TaskExecutionListRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from flyte_cli.up.console_html import NodeView, error_page, execution_page, front_page

EXECUTION = "/console/projects/{project}/domains/{domain}/executions/{name}"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
SHOWN_NODES = 200
"""Nodes on one page; the command line has them all."""
CALL_SECONDS = 10.0
STATUS = {
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
NO_PROXY = (("grpc.enable_http_proxy", 0),)
OLDEST_FIRST = Sort(key="created_at", direction=Sort.ASCENDING)


def console_routes(grpc_target: str) -> list[BaseRoute]:
    """Return the routes.

    :param grpc_target: ``host:port`` of the control plane
    """

    async def execution(request: Request) -> Response:
        wanted = WorkflowExecutionIdentifier(**request.path_params)
        async with grpc.aio.insecure_channel(grpc_target, options=NO_PROXY) as channel:
            return await _answer(lambda: _execution(AdminServiceStub(channel), wanted))

    async def front(_request: Request) -> Response:
        return HTMLResponse(front_page(), headers=HEADERS)

    return [Route(EXECUTION, execution), Route("/console", front), Route("/console/{rest:path}", front)]


async def _answer(page: Callable[[], Awaitable[str]]) -> Response:
    try:
        return HTMLResponse(await page(), headers=HEADERS)
    except grpc.aio.AioRpcError as error:
        status = STATUS.get(error.code(), 500)
        return HTMLResponse(error_page(error.details() or error.code().name), status_code=status, headers=HEADERS)


async def _execution(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier) -> str:
    execution = await stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS)
    request = NodeExecutionListRequest(workflow_execution_id=wanted, limit=SHOWN_NODES, sort_by=OLDEST_FIRST)
    page = await stub.ListNodeExecutions(request, timeout=CALL_SECONDS)
    nodes = [await _node(stub, row) for row in page.node_executions]
    return execution_page(execution, nodes, is_cut=bool(page.token))


async def _node(stub: AdminServiceStub, row: NodeExecution) -> NodeView:
    if row.closure.HasField("error"):  # lists cut its message
        row = await stub.GetNodeExecution(NodeExecutionGetRequest(id=row.id), timeout=CALL_SECONDS)
    request = TaskExecutionListRequest(node_execution_id=row.id, limit=100, sort_by=OLDEST_FIRST)
    attempts = await stub.ListTaskExecutions(request, timeout=CALL_SECONDS)
    return NodeView(row, attempts.task_executions)
