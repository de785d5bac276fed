"""Reads executions."""

from __future__ import annotations

import grpc
from flyteidl.admin.execution_pb2 import Execution, WorkflowExecutionGetRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.options.urns import urn
from flyte_core.errors import NotFound


def get_execution(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier) -> Execution:
    """Return an execution whole: lists cut its error message at 100 bytes.

    :raises flyte_core.errors.NotFound: if there is none; lists of its nodes, attempts and signals are empty then
    """
    try:
        found: Execution = stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        listing = f"`flyte get executions -p {wanted.project} -d {wanted.domain}`"
        raise NotFound(f"{urn(wanted)}: there is no such execution; {listing} lists those there are") from error
    return found
