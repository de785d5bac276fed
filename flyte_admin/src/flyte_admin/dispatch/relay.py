"""Carries out the orders of the outbox: creates and deletes FlyteWorkflows until the cluster has done it.

Every step may be repeated: a FlyteWorkflow has its execution's name, so that a second creation finds the first, and
a second deletion finds nothing. Several dispatchers on one database do no harm, only the same work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from flyteidl.admin.workflow_pb2 import WorkflowClosure
from flyteidl.core.execution_pb2 import ExecutionError

from flyte_admin.db.database import Database
from flyte_admin.dispatch.orders import Created, Deleting, Gone, Impossible, Later, Order, Outcome, Skipped
from flyte_admin.dispatch.outbox import CREATE, due_orders, next_due, settle
from flyte_admin.dispatch.pace import Pace
from flyte_admin.executions.alarm import Alarm
from flyte_admin.executions.phases import TERMINAL_PHASE_NAMES
from flyte_admin.rpc.errors import status_of
from flyte_admin.workflows.closures import ClosureStore
from flyte_core.clock import Clock
from flyte_core.cluster import FLYTE_WORKFLOW, Cluster, Manifest
from flyte_core.errors import AlreadyExists, FlyteError, InvalidInput, SystemFault

BuildManifest = Callable[[Order, WorkflowClosure], Manifest]
"""Writes the FlyteWorkflow of an order from its compiled workflow.

Raises InvalidInput if that is not possible, TooLarge if it does not fit."""

BATCH = 64
"""Orders that are carried out side by side."""
RESYNC_SECONDS = 5.0
"""How often the outbox is looked at without being told: for orders of other replicas."""

_OVER = frozenset({*TERMINAL_PHASE_NAMES, "ABORTING"})
_log = logging.getLogger(__name__)


class Dispatcher:
    """The relay between the database and the cluster.

    :param build: see :data:`BuildManifest`
    :ivar pace: to be told of each execution that is being accepted
    """

    def __init__(
        self, database: Database, cluster: Cluster, closures: ClosureStore, build: BuildManifest, clock: Clock
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._closures = closures
        self._build = build
        self._clock = clock
        self._alarm = Alarm(clock)
        self.pace = Pace(BATCH)

    def wake(self) -> None:
        """Have the outbox looked at now: called after a commit that put an order into it."""
        self._alarm.ring()

    async def run(self) -> None:
        """Carry out orders until cancelled, those left over from an earlier life first. A database that does not
        answer is waited for.
        """
        faults = 0
        while True:
            self._alarm.reset()
            size, pause = self.pace.next_turn()
            await asyncio.sleep(pause)  # not the clock's: it is this machine that needs the time
            try:
                full = await self.turn(size) == size
                delay = 0.0 if full else await self._delay()
                faults = 0
            except SystemFault as fault:
                faults += 1
                delay = min(0.25 * 2 ** min(faults, 7), RESYNC_SECONDS)
                _log.warning("the outbox of workflows cannot be read or written", extra={"reason": str(fault)})
            await self._alarm.wait(delay)

    async def turn(self, size: int = BATCH) -> int:
        """Carry out the orders that are due, ``size`` at most, and return how many there were.

        :raises SystemFault: if the database does not answer
        """
        orders = await self._database.read(lambda connection: due_orders(connection, self._clock.now(), size))
        if orders:
            results = await asyncio.gather(*(self._carry_out(order) for order in orders))
            outcomes = list(zip(orders, results, strict=True))
            await self._database.write(lambda connection: settle(connection, outcomes, self._clock.now()))
        return len(orders)

    async def _delay(self) -> float:
        due = await self._database.read(next_due)
        if due is None:
            return RESYNC_SECONDS
        return min(max((due - self._clock.now()).total_seconds(), 0.0), RESYNC_SECONDS)

    async def _carry_out(self, order: Order) -> Outcome:
        work = self._create(order) if order.action == CREATE else self._terminate(order)
        try:
            return await work
        except SystemFault as fault:
            return Later(str(fault))
        except Exception as error:  # noqa: BLE001 - one workflow that trips the writer must not stop the others
            if not isinstance(error, FlyteError):
                _log.exception("an order of the outbox failed", extra={"execution": order.execution.name})
            if order.action == CREATE:
                return Impossible(_execution_error(error))
            return Later(str(error))  # an execution that was to be aborted is not given up

    async def _create(self, order: Order) -> Outcome:
        if order.phase in _OVER:
            return Skipped()
        closure = await self._closures.read(order.closure_uri)
        try:
            await self._cluster.create(self._build(order, closure))
        except AlreadyExists:
            return Created()
        return Created()

    async def _terminate(self, order: Order) -> Outcome:
        if order.phase not in ("ABORTING", "ABORTED"):
            return Skipped()  # it ended by itself before
        there = await self._cluster.delete(FLYTE_WORKFLOW, order.namespace, order.execution.name)
        return Deleting() if there else Gone()


def _execution_error(error: Exception) -> ExecutionError:
    """Return what the execution fails with; the code is gRPC's name in upstream's spelling (``InvalidArgument``)."""
    if not isinstance(error, FlyteError):
        message = f"failed to create workflow in propeller: {type(error).__name__}; see the server's log"
        return ExecutionError(code="Internal", message=message, kind=ExecutionError.SYSTEM)
    code = "".join(word.capitalize() for word in status_of(error).code.name.split("_"))
    kind = ExecutionError.USER if isinstance(error, InvalidInput) else ExecutionError.SYSTEM
    return ExecutionError(code=code, message=f"failed to create workflow in propeller: {error}", kind=kind)
