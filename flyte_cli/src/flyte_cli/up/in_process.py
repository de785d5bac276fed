"""The control plane as the propeller sees it when both live in one process: the same services, no wire in between."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.execution_pb2 import (
    ExecutionClosure,
    ExecutionCreateRequest,
    ExecutionTerminateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.node_execution_pb2 import (
    NodeExecution,
    NodeExecutionGetDataRequest,
    NodeExecutionGetDataResponse,
    NodeExecutionGetRequest,
)
from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.identifier_pb2 import Identifier, NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_admin.app import AdminApp
from flyte_core.errors import FailedPrecondition, NotFound, TooLarge
from flyte_core.events import ExecutionEventRequest
from flyte_propeller.adapters.catalog_client import Call
from flyte_propeller.shell.ports import EventReply


class InProcessAdmin:
    """Implements ``ControlPlane`` and ``PastExecutions`` of :mod:`flyte_propeller.shell.ports`."""

    def __init__(self, admin: AdminApp) -> None:
        self._admin = admin

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        """Record all events in one transaction; see the port for what the replies mean."""
        outcomes = await self._admin.events.record(events)
        return [EventReply(outcome.verdict, outcome.message) for outcome in outcomes]

    async def node(self, identifier: NodeExecutionIdentifier) -> NodeExecution | None:
        """Return a node of an execution, None where there is none."""
        try:
            return await self._admin.nodes.get(NodeExecutionGetRequest(id=identifier))
        except NotFound:
            return None

    async def node_data(self, identifier: NodeExecutionIdentifier) -> NodeExecutionGetDataResponse:
        """Return a node's inputs and outputs."""
        return await self._admin.nodes.get_data(NodeExecutionGetDataRequest(id=identifier))

    async def create_child(self, request: ExecutionCreateRequest) -> None:
        """Create an execution; see the port for the errors."""
        await self._admin.executions.create(request)

    async def get_child(self, execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
        """Return the closure of an execution, None where there is no such one."""
        try:
            return (await self._admin.reader.get(WorkflowExecutionGetRequest(id=execution))).closure
        except NotFound:
            return None

    async def child_outputs(self, execution: WorkflowExecutionIdentifier) -> LiteralMap:
        """Return the outputs of an execution."""
        answer = await self._admin.reader.get_data(WorkflowExecutionGetDataRequest(id=execution))
        if answer.outputs.url and not answer.full_outputs.literals:
            raise TooLarge(f"the outputs of {execution.name} are {answer.outputs.bytes} bytes: only a link is returned")
        return answer.full_outputs

    async def terminate_child(self, execution: WorkflowExecutionIdentifier, cause: str) -> None:
        """Terminate an execution. Refused is what has ended in between, or is not there: it stays as it is."""
        with contextlib.suppress(NotFound, FailedPrecondition):
            await self._admin.executions.terminate(ExecutionTerminateRequest(id=execution, cause=cause))

    async def get_launch_plan(self, identifier: Identifier) -> LaunchPlan | None:
        """Return a launch plan, None where there is no such one."""
        try:
            return await self._admin.launch_plans.get(ObjectGetRequest(id=identifier))
        except NotFound:
            return None

    async def get_or_create_signal(self, request: SignalGetOrCreateRequest) -> Signal:
        """Return a signal; see the port for the errors."""
        return await self._admin.signals.get_or_create(request)


def catalog_calls(admin: AdminApp) -> Call:
    """Return what makes the RPCs of the catalog."""
    methods = admin.catalog.methods()

    async def call(name: str, request: Any) -> Any:
        return await methods[name](request)

    return call
