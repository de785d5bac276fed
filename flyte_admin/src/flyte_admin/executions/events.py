"""The door for what the data plane reports: in process for many events at once, and as the three RPCs."""

from __future__ import annotations

from collections.abc import Sequence

from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    NodeExecutionEventResponse,
    TaskExecutionEventRequest,
    TaskExecutionEventResponse,
    WorkflowExecutionEventRequest,
    WorkflowExecutionEventResponse,
)
from sqlalchemy import Connection

from flyte_admin.db.database import Database
from flyte_admin.executions.event_outbox import outbox_values
from flyte_admin.executions.ledger import PreparedEvent, record_events
from flyte_admin.executions.offload import Offloader, carries_data
from flyte_admin.executions.outcomes import EventOutcome, Verdict
from flyte_admin.executions.rows import Rows
from flyte_admin.executions.statements import INSERT_EVENT
from flyte_core.clock import Clock
from flyte_core.errors import TooLarge
from flyte_core.events import ExecutionEventRequest


class EventRecorder:
    """Records events of executions, nodes and tasks.

    :param sinks: names of the event sinks; each recorded event is queued for each of them in the same transaction
    """

    def __init__(self, database: Database, offloader: Offloader, clock: Clock, *, sinks: Sequence[str] = ()) -> None:
        self._database = database
        self._offloader = offloader
        self._clock = clock
        self._sinks = tuple(sinks)

    async def record(self, requests: Sequence[ExecutionEventRequest]) -> list[EventOutcome]:
        """Record events in this order, in one transaction, and return one outcome each.

        Stops after the first event that is neither recorded nor known already: the outcomes are then fewer than the
        events, and those before it are recorded. Sending all of them again is harmless.

        :raises Unavailable: if the database or the object store does not answer; then none is recorded
        """
        prepared: list[PreparedEvent] = []
        oversized: EventOutcome | None = None
        if any(carries_data(request) for request in requests):
            # An event that will be refused must not overwrite the data of the one that was recorded.
            wanted = await self._database.read(lambda connection: self._rehearse(connection, requests))
            for request, outcome in zip(requests, wanted, strict=False):
                try:
                    taken = outcome.verdict is Verdict.RECORDED
                    prepared.append(await self._offloader.prepare(request) if taken else PreparedEvent(request))
                except TooLarge as error:
                    oversized = EventOutcome(Verdict.REJECTED, error)
                    break
        else:
            prepared = [PreparedEvent(request) for request in requests]
        outcomes = await self._database.write(lambda connection: self._record(connection, prepared))
        if oversized is not None and len(outcomes) == len(prepared) and all(outcome.goes_on for outcome in outcomes):
            outcomes.append(oversized)
        return outcomes

    def _rehearse(self, connection: Connection, requests: Sequence[ExecutionEventRequest]) -> list[EventOutcome]:
        rows = Rows(connection, self._clock.now(), read_only=True)
        return record_events(rows, [PreparedEvent(request) for request in requests])

    def _record(self, connection: Connection, events: Sequence[PreparedEvent]) -> list[EventOutcome]:
        now = self._clock.now()
        rows = Rows(connection, now)
        outcomes = record_events(rows, events)
        rows.write()
        if self._sinks:
            recorded = [
                event.request
                for event, outcome in zip(events, outcomes, strict=False)
                if outcome.verdict is Verdict.RECORDED
            ]
            if recorded:
                connection.execute(INSERT_EVENT, outbox_values(recorded, self._sinks, now))
        return outcomes

    async def create_workflow_event(self, request: WorkflowExecutionEventRequest) -> WorkflowExecutionEventResponse:
        """Record a workflow event; see :meth:`record_one` for the errors."""
        await self.record_one(request)
        return WorkflowExecutionEventResponse()

    async def create_node_event(self, request: NodeExecutionEventRequest) -> NodeExecutionEventResponse:
        """Record a node event; see :meth:`record_one` for the errors."""
        await self.record_one(request)
        return NodeExecutionEventResponse()

    async def create_task_event(self, request: TaskExecutionEventRequest) -> TaskExecutionEventResponse:
        """Record a task event; see :meth:`record_one` for the errors."""
        await self.record_one(request)
        return TaskExecutionEventResponse()

    async def record_one(self, request: ExecutionEventRequest) -> None:
        """Record one event, or raise why not.

        :raises InvalidInput: if ids, phase or time are missing or malformed
        :raises NotFound: if the execution, or the node of a task event, is not stored
        :raises AlreadyExists: if this phase, or a later one, is recorded
        :raises flyte_admin.executions.refusals.AlreadyTerminal: if the execution, node or task has ended
        :raises flyte_admin.executions.refusals.ForeignCluster: if another cluster has the execution
        :raises FailedPrecondition: if the execution is being aborted
        :raises TooLarge: if inline data is above the limit
        """
        outcomes = await self.record([request])
        if outcomes[0].error is not None:
            raise outcomes[0].error
