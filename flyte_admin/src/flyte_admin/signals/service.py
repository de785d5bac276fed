"""Signals of executions: the data plane asks for them, people and programs set them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyteidl.admin.signal_pb2 import (
    Signal,
    SignalGetOrCreateRequest,
    SignalList,
    SignalListRequest,
    SignalSetRequest,
    SignalSetResponse,
)
from flyteidl.core.identifier_pb2 import SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType
from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, update

from flyte_admin.db.database import Database
from flyte_admin.db.execution_tables import EXECUTION
from flyte_admin.db.listing import Listing
from flyte_admin.db.schema import executions, signals
from flyte_admin.executions.identify import execution_condition, missing_execution
from flyte_admin.executions.keys import ExecutionKey
from flyte_core.clock import Clock
from flyte_core.errors import InvalidInput
from flyte_core.identifiers import check_identifier, check_name
from flyte_core.literals import literal_problem

_LISTING = Listing("signal", signals)
_SHOWN = select(*(signals.c[name] for name in (*EXECUTION, "signal_id", "type", "value")))


class SignalService:
    """Keeps one signal for each execution and signal id.

    :ivar listeners: called with the signal's id after each commit that gave it a value
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self.listeners: list[Callable[[SignalIdentifier], None]] = []
        self._database = database
        self._clock = clock

    async def get_or_create(self, request: SignalGetOrCreateRequest) -> Signal:
        """Return the signal, after storing it without a value if it is new. Repeating this changes nothing.

        :raises NotFound: if there is no such execution
        """
        _check(request.id)
        if request.type.WhichOneof("type") is None:
            raise InvalidInput("missing type", field="type")
        found = await self._database.read(lambda connection: _find(connection, request.id))
        if found is None:
            found = await self._database.write(lambda connection: self._create(connection, request))
        return _message(found)

    def _create(self, connection: Connection, request: SignalGetOrCreateRequest) -> Row[Any]:
        execution = request.id.execution_id
        locked = select(executions.c.id).where(execution_condition(executions, execution)).with_for_update()
        if connection.execute(locked).first() is None:
            raise missing_execution(execution)
        if _find(connection, request.id) is None:
            now = self._clock.now()
            connection.execute(
                insert(signals),
                {
                    **ExecutionKey.of(execution).columns,
                    "signal_id": request.id.signal_id,
                    "type": request.type.SerializeToString(deterministic=True),
                    "created_at": now,
                    "updated_at": now,
                },
            )
        return connection.execute(_SHOWN.where(_condition(request.id))).one()

    async def list(self, request: SignalListRequest) -> SignalList:
        """Return the signals of an execution; those without a value are waited for."""
        check_identifier(request.workflow_execution_id, "workflow_execution_id")
        query = _SHOWN.where(execution_condition(signals, request.workflow_execution_id))
        page = await self._database.read(_LISTING.query(request, query).fetch)
        return SignalList(signals=[_message(row) for row in page.rows], token=page.token)

    async def set(self, request: SignalSetRequest) -> SignalSetResponse:
        """Give a signal its value; as upstream, a later value replaces an earlier one.

        :raises InvalidInput: if there is no such signal, or the value is not of its type
        """
        _check(request.id)
        if not request.HasField("value"):
            raise InvalidInput("missing value", field="value")
        await self._database.write(lambda connection: self._set(connection, request))
        for listener in self.listeners:
            listener(request.id)
        return SignalSetResponse()

    def _set(self, connection: Connection, request: SignalSetRequest) -> None:
        row = _find(connection, request.id)
        if row is None:
            raise InvalidInput(
                f"failed to validate that signal [{_text(request.id)}] exists: no node waits for it (yet)", field="id"
            )
        problem = literal_problem(request.value, LiteralType.FromString(row.type))
        if problem:
            raise InvalidInput(f"value of signal {request.id.signal_id}: {problem}", field="value")
        connection.execute(
            update(signals)
            .where(_condition(request.id))
            .values(value=request.value.SerializeToString(), updated_at=self._clock.now())
        )


def _check(signal: SignalIdentifier) -> None:
    check_identifier(signal.execution_id, "id.execution_id")
    check_name(signal.signal_id, "id.signal_id")


def _condition(signal: SignalIdentifier) -> ColumnElement[bool]:
    return and_(execution_condition(signals, signal.execution_id), signals.c.signal_id == signal.signal_id)


def _find(connection: Connection, signal: SignalIdentifier) -> Row[Any] | None:
    return connection.execute(_SHOWN.where(_condition(signal))).one_or_none()


def _text(signal: SignalIdentifier) -> str:
    execution = signal.execution_id
    return "/".join((execution.project, execution.domain, execution.name, signal.signal_id))


def _message(row: Row[Any]) -> Signal:
    execution = WorkflowExecutionIdentifier(
        project=row.execution_project, domain=row.execution_domain, name=row.execution_name
    )
    signal = Signal(
        id=SignalIdentifier(signal_id=row.signal_id, execution_id=execution), type=LiteralType.FromString(row.type)
    )
    if row.value is not None:
        signal.value.CopyFrom(Literal.FromString(row.value))
    return signal
