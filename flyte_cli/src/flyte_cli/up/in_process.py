"""The control plane as the propeller sees it when both live in one process: the same services, no wire in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flyteidl.admin.node_execution_pb2 import (
    NodeExecution,
    NodeExecutionGetDataRequest,
    NodeExecutionGetDataResponse,
    NodeExecutionGetRequest,
)
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier

from flyte_admin.app import AdminApp
from flyte_core.errors import NotFound
from flyte_core.events import ExecutionEventRequest
from flyte_propeller.adapters.catalog_client import Call
from flyte_propeller.shell.ports import EventReply


class InProcessAdmin:
    """Implements ``AdminEvents`` and ``PastExecutions`` of :mod:`flyte_propeller.shell.ports`."""

    def __init__(self, admin: AdminApp) -> None:
        self._recorder = admin.events
        self._nodes = admin.nodes

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        """Record all events in one transaction; see the port for what the replies mean."""
        outcomes = await self._recorder.record(events)
        return [EventReply(outcome.verdict, outcome.message) for outcome in outcomes]

    async def node(self, identifier: NodeExecutionIdentifier) -> NodeExecution | None:
        """Return a node of an execution, None where there is none."""
        try:
            return await self._nodes.get(NodeExecutionGetRequest(id=identifier))
        except NotFound:
            return None

    async def node_data(self, identifier: NodeExecutionIdentifier) -> NodeExecutionGetDataResponse:
        """Return a node's inputs and outputs."""
        return await self._nodes.get_data(NodeExecutionGetDataRequest(id=identifier))


def catalog_calls(admin: AdminApp) -> Call:
    """Return what makes the RPCs of the catalog."""
    methods = admin.catalog.methods()

    async def call(name: str, request: Any) -> Any:
        return await methods[name](request)

    return call
