"""Starts executions when their times have come: each once, none early, none of one launch plan waiting for another's.

What is due follows from the clock and from what is written down about each schedule, not from how long this process
has lived. An execution has a name made from launch plan and time, and is created before that time is written down as
dealt with: a crash between the two, or a second scheduler, meets the execution of that name and goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionCreateResponse

from flyte_admin.db.database import Database
from flyte_admin.executions.alarm import Alarm
from flyte_admin.executions.submission import LimitReached
from flyte_admin.registry.admission import InactiveProjectRefused
from flyte_admin.scheduler.agenda import Agenda
from flyte_admin.scheduler.kickoff import kickoff_request
from flyte_admin.scheduler.rows import ActiveSchedule, active_schedules, is_pending, settle, try_later
from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists, SystemFault, TooLarge, UserError

CreateExecution: TypeAlias = Callable[[ExecutionCreateRequest], Awaitable[ExecutionCreateResponse]]

RESYNC_SECONDS = 30.0
"""How often schedules are looked at without being told: for those that another replica activated (as upstream)."""
AT_ONCE = 32
"""Executions that are created side by side."""
LONGEST_CREATION = 60.0
"""Seconds after which a creation without an answer counts as failed."""
MOST_ATTEMPTS = 30
"""After so many, an execution that could not be created is given up (as upstream). They take some 20 minutes."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """How schedules are run.

    :ivar catch_up: times of one schedule that passed while nothing ran, for which executions are still started: the
        latest ones, at least one; older ones are skipped, which the log says
    """

    catch_up: int = 60


class Scheduler:
    """The scheduler of one control plane.

    :param create: accepts an execution
    :param alarm: rung after launch plans were activated or deactivated
    """

    def __init__(
        self, database: Database, create: CreateExecution, clock: Clock, alarm: Alarm, settings: SchedulerSettings
    ) -> None:
        self._database = database
        self._create = create
        self._clock = clock
        self._alarm = alarm
        self._agenda = Agenda(max(settings.catch_up, 1))
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Start executions until cancelled. Between the times nothing happens but a look at the table every
        :data:`RESYNC_SECONDS`; a database that does not answer is waited for.
        """
        faults = 0
        while True:
            self._alarm.reset()
            try:
                due = await self.turn()
                faults = 0
                wait = (due - self._clock.now()).total_seconds() if due is not None else RESYNC_SECONDS
                delay = min(max(wait, 0.0), RESYNC_SECONDS)
            except (SystemFault, TooLarge) as fault:
                faults += 1
                delay = min(0.25 * 2 ** min(faults, 7), RESYNC_SECONDS)
                _log.warning("schedules cannot be read or written", extra={"reason": str(fault)})
            await self._alarm.wait(delay)

    async def turn(self) -> datetime | None:
        """Deal with one time of each schedule that has one, and return when to look again; None if nothing is ahead.

        :raises SystemFault: if the database does not answer
        :raises TooLarge: if too much waits for it
        """
        known = self._agenda.known
        active, new = await self._database.read(lambda connection: active_schedules(connection, known))
        self._agenda.update(active, new)
        now = self._clock.now()
        due: list[tuple[ActiveSchedule, datetime]] = []
        ahead: list[datetime] = []
        for entry in active:
            moment = self._agenda.next_time(entry, now)
            if moment is None:
                continue
            ready = max(moment, entry.available_at or moment)
            if ready <= now:
                due.append((entry, moment))
            else:
                ahead.append(ready)
        if due:
            work = (self._deal_with(entry, moment) for entry, moment in due)
            for result in await asyncio.gather(*work, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
            return now
        return min(ahead, default=None)

    async def _deal_with(self, entry: ActiveSchedule, moment: datetime) -> None:
        async with self._places:
            if not await self._database.read(lambda connection: is_pending(connection, entry.activation, moment)):
                return
            failure, again = await self._start(entry, moment)
        again = again and entry.attempts + 1 < MOST_ATTEMPTS
        if failure:
            _log.log(
                logging.WARNING if again else logging.ERROR,
                "an execution could not be started by its schedule",
                extra={"launch_plan": entry.plan.name, "at": str(moment), "reason": failure, "again": again},
            )
        now = self._clock.now()
        if again:
            await self._database.write(lambda connection: try_later(connection, entry, failure, now))
        else:
            await self._database.write(
                lambda connection: settle(connection, entry.activation, moment, error=failure, now=now)
            )

    async def _start(self, entry: ActiveSchedule, moment: datetime) -> tuple[str, bool]:
        """Return why there is no execution, empty if there is one, and whether trying again may help."""
        request = kickoff_request(entry.plan, moment, self._agenda.kickoff_input(entry.activation))
        try:
            async with asyncio.timeout(LONGEST_CREATION):
                await self._create(request)
        except (LimitReached, InactiveProjectRefused) as skipped:
            _log.info("a schedule's time is skipped", extra={"launch_plan": entry.plan.name, "reason": str(skipped)})
        except AlreadyExists:
            pass  # by this scheduler before it could write that down, or by another one
        except TimeoutError:
            return f"no answer within {LONGEST_CREATION:.0f} s", True
        except (SystemFault, TooLarge) as fault:
            return str(fault), True
        except UserError as error:
            return str(error), False
        except Exception as error:  # noqa: BLE001 - one launch plan that trips the service must not stop the others
            _log.exception("starting an execution by its schedule failed", extra={"launch_plan": entry.plan.name})
            return f"{type(error).__name__}: {error}", True
        return "", False
