"""The door for what the data plane reports: in process for many events at once, and as the three RPCs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    NodeExecutionEventResponse,
    TaskExecutionEventRequest,
    TaskExecutionEventResponse,
    WorkflowExecutionEventRequest,
    WorkflowExecutionEventResponse,
)
from flyteidl.admin.execution_pb2 import ExecutionClosure
from sqlalchemy import Connection

from flyte_admin.db.database import Database
from flyte_admin.executions.batching import Batcher
from flyte_admin.executions.event_checks import check_event
from flyte_admin.executions.event_outbox import outbox_values
from flyte_admin.executions.keys import ExecutionKey
from flyte_admin.executions.ledger import PreparedEvent, fetch_rows, record_events
from flyte_admin.executions.offload import Offloader, carries_data
from flyte_admin.executions.outcomes import EventOutcome
from flyte_admin.executions.phases import TERMINAL_EXECUTION
from flyte_admin.executions.rows import Rows
from flyte_admin.executions.statements import INSERT_EVENT
from flyte_admin.notifications.outbox import queue_notifications
from flyte_core.clock import Clock
from flyte_core.errors import InvalidInput, TooLarge
from flyte_core.events import ExecutionEventRequest, Verdict


class EventRecorder:
    """Records events of executions, nodes and tasks.

    :param sinks: names of the event sinks; each recorded event is queued for each of them in the same transaction
    :param wake_delivery: called after each commit that queued events
    :param wake_notifications: called after each commit that ended executions
    """

    def __init__(
        self,
        database: Database,
        offloader: Offloader,
        clock: Clock,
        *,
        sinks: Sequence[str] = (),
        wake_delivery: Callable[[], None] | None = None,
        wake_notifications: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._offloader = offloader
        self._clock = clock
        self._sinks = tuple(sinks)
        self._wake_delivery = wake_delivery
        self._wake_notifications = wake_notifications
        self._queue = Batcher(self._write, weigh=len)

    async def record(self, requests: Sequence[ExecutionEventRequest]) -> list[EventOutcome]:
        """Record events in this order, in one transaction, and return one outcome each.

        Stops after the first event that is neither recorded nor known already: the outcomes are then fewer than the
        events, and those before it are recorded. Sending all of them again is harmless.

        :raises Unavailable: if the database or the object store does not answer; then none is recorded
        """
        prepared, refusal = _checked(requests)
        if any(carries_data(event.request) for event in prepared):
            prepared, refusal = await self._offload(prepared, refusal)
        outcomes = await self._queue.put(prepared) if prepared else []
        if self._sinks and self._wake_delivery is not None:
            self._wake_delivery()
        if any(_ends(event.request) for event in prepared):
            self._wake_notifications()
        if refusal is not None and len(outcomes) == len(prepared) and all(outcome.goes_on for outcome in outcomes):
            outcomes.append(refusal)
        return outcomes

    async def _offload(
        self, events: Sequence[PreparedEvent], refusal: EventOutcome | None
    ) -> tuple[list[PreparedEvent], EventOutcome | None]:
        """Move inline data of the events that will be recorded into the object store; an event that will be refused
        must not overwrite the data of the one that was recorded.
        """
        referring = [PreparedEvent(event.request, self._offloader.reference_of(event.request)) for event in events]
        outlook = await self._database.read(lambda connection: self._rehearse(connection, referring))
        prepared: list[PreparedEvent] = []
        for event, outcome in zip(events, outlook, strict=False):
            if outcome.verdict is not Verdict.RECORDED:
                prepared.append(event)
                continue
            try:
                prepared.append(await self._offloader.prepare(event.request))
            except TooLarge as error:
                return prepared, EventOutcome(Verdict.REJECTED, error)
        return prepared, refusal

    def _rehearse(self, connection: Connection, events: Sequence[PreparedEvent]) -> list[EventOutcome]:
        return record_events(Rows(connection, self._clock.now(), read_only=True), events)

    async def _write(self, sequences: Sequence[Sequence[PreparedEvent]]) -> list[list[EventOutcome]]:
        return await self._database.write(lambda connection: self._apply(connection, sequences))

    def _apply(self, connection: Connection, sequences: Sequence[Sequence[PreparedEvent]]) -> list[list[EventOutcome]]:
        now = self._clock.now()
        rows = Rows(connection, now)
        fetch_rows(rows, chain.from_iterable(sequences))
        outcomes = [record_events(rows, events) for events in sequences]
        rows.write()
        recorded = [
            event.request
            for events, results in zip(sequences, outcomes, strict=True)
            for event, outcome in zip(events, results, strict=False)
            if outcome.verdict is Verdict.RECORDED
        ]
        queue_notifications(connection, _ended(rows, recorded), now)
        if self._sinks and recorded:
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


def _ends(request: ExecutionEventRequest) -> bool:
    return isinstance(request, WorkflowExecutionEventRequest) and request.event.phase in TERMINAL_EXECUTION


def _ended(rows: Rows, recorded: Iterable[ExecutionEventRequest]) -> Iterator[tuple[ExecutionKey, ExecutionClosure]]:
    for request in recorded:
        if _ends(request):
            key = ExecutionKey.of(request.event.execution_id)
            row = rows.execution(key)
            if row is not None:
                yield key, row.open_closure()


def _checked(requests: Sequence[ExecutionEventRequest]) -> tuple[list[PreparedEvent], EventOutcome | None]:
    """Return the events up to the first malformed one, and the refusal of that one."""
    prepared: list[PreparedEvent] = []
    for request in requests:
        try:
            check_event(request)
        except InvalidInput as error:
            return prepared, EventOutcome(Verdict.REJECTED, error)
        prepared.append(PreparedEvent(request))
    return prepared, None
