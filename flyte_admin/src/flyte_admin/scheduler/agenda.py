"""Which time of each schedule comes next. Schedules are read once for each activation, and looked at in memory."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from flyteidl.admin.schedule_pb2 import Schedule

from flyte_admin.scheduler.rows import Activation, ActiveSchedule
from flyte_core.errors import InvalidInput
from flyte_core.timetables import Timetable, newest, timetable

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Page:
    """One schedule.

    :ivar times: None if the schedule cannot be read, which was said when it was
    :ivar looked_from: for which ``next`` is known
    """

    times: Timetable | None
    kickoff_input: str
    looked_from: datetime | None = None
    next: datetime | None = None


class Agenda:
    """The times of all active schedules.

    :param catch_up: of the times of one schedule that have passed, so many of the latest are still started
    """

    def __init__(self, catch_up: int) -> None:
        self._catch_up = catch_up
        self._pages: dict[Activation, _Page] = {}

    @property
    def known(self) -> Collection[Activation]:
        """The schedules that need not be read again."""
        return frozenset(self._pages)

    def update(self, active: Collection[ActiveSchedule], new: Mapping[Activation, Schedule]) -> None:
        """Forget what is active no longer, and take over what is new."""
        going = {entry.activation for entry in active}
        self._pages = {activation: page for activation, page in self._pages.items() if activation in going}
        for activation, schedule in new.items():
            self._pages[activation] = _Page(_times(activation, schedule), schedule.kickoff_time_input_arg)

    def kickoff_input(self, activation: Activation) -> str:
        """Return the input that gets the scheduled time, empty for none."""
        return self._pages[activation].kickoff_input

    def next_time(self, entry: ActiveSchedule, now: datetime) -> datetime | None:
        """Return the next time to be dealt with, passed or to come; None if there is none.

        Where more have passed than are made up for, it is the first of those that are.
        """
        page = self._pages.get(entry.activation)
        if page is None or page.times is None:
            return None
        if page.looked_from != entry.settled_until:
            page.looked_from, page.next = entry.settled_until, page.times.after(entry.settled_until)
        if page.next is None or page.next > now:
            return page.next
        first = newest(page.times, entry.settled_until, now, most=self._catch_up)[0]
        if first > page.next:
            _log.warning(
                "times of a schedule were missed, and the older ones are skipped",
                extra={"launch_plan": entry.plan.name, "version": entry.plan.version, "skipped_until": str(first)},
            )
        return first


def _times(activation: Activation, schedule: Schedule) -> Timetable | None:
    try:
        return timetable(schedule, activation.activated_at)
    except InvalidInput as error:  # registered with a program that took it
        _log.error(
            "a schedule cannot be read, and starts nothing", extra={"row": activation.row_id, "reason": str(error)}
        )
        return None
