"""Calls plugins so that their faults stay theirs: a fault fails the task, many in a row shut the plugin out.

This is one of the two places that catch everything: what a plugin raises is not known beforehand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from flyte_core.clock import Clock
from flyte_core.errors import PluginError, SystemFault, Unavailable, UserError
from flyte_propeller.host.hook_threads import HookThreads

LOG = logging.getLogger(__name__)
T = TypeVar("T")
TEXT_LIMIT = 1000
"""Characters of a plugin's exception that are passed on."""


class PluginFault(PluginError):
    """A plugin raised what its hook may not raise, answered with what it may not answer, or took too long."""


@dataclass(frozen=True, slots=True)
class FaultLimits:
    """How much of a plugin's faults is borne.

    :ivar in_a_row: faults of one hook without a good answer in between, after which the plugin is not called
    :ivar rest: how long it is not called then; the next fault after that starts another rest
    :ivar pure_seconds: longest call of a hook without I/O
    :ivar io_seconds: longest call of a hook with I/O
    """

    in_a_row: int = 10
    rest: timedelta = timedelta(minutes=5)
    pure_seconds: float = 5.0
    io_seconds: float = 60.0


class Quarantine:
    """The only door to plugins' code."""

    def __init__(self, clock: Clock, limits: FaultLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._threads = HookThreads()
        self._faults: dict[tuple[str, str], int] = {}
        self._shut: dict[str, tuple[datetime, str]] = {}

    def reason(self, plugin: str) -> str:
        """Return why the plugin is shut out now, empty when it is not."""
        if plugin not in self._shut:
            return ""
        until, reason = self._shut[plugin]
        if self._clock.now() >= until:
            return ""
        return f"plugin {plugin!r} is quarantined until {until:%H:%M:%S} UTC: {reason}"

    async def call(self, plugin: str, hook: str, call: Callable[[], T]) -> T:
        """Call a hook that does no I/O, in a thread of its own.

        :raises PluginFault: if it raises anything unexpected, or takes too long
        :raises flyte_core.errors.UserError: as the hook may, for a template that cannot be run
        """
        try:
            outcome = await self._threads.run(call, self._limits.pure_seconds)
        except TimeoutError as error:
            raise self.fault(plugin, hook, f"took longer than {self._limits.pure_seconds:g} s") from error
        raised = outcome.exception()
        if raised is None:
            return outcome.result()
        if isinstance(raised, UserError):
            raise raised
        raise self.fault(plugin, hook, _raised(raised)) from raised

    async def await_call(self, plugin: str, hook: str, call: Callable[[], Awaitable[T]]) -> T:
        """Await a hook that does I/O.

        :raises PluginFault: if it raises anything unexpected, or takes too long
        :raises flyte_core.errors.UserError: as the hook may: a permanent failure
        :raises flyte_core.errors.Unavailable: if the hook raises a SystemFault: its backend does not answer
        """
        task = asyncio.ensure_future(_captured(call))
        try:
            await asyncio.wait({task}, timeout=self._limits.io_seconds)
        finally:
            task.cancel()
        if not task.done():
            raise self.fault(plugin, hook, f"took longer than {self._limits.io_seconds:g} s")
        if task.cancelled():
            raise self.fault(plugin, hook, "cancelled itself")
        answers, raised = task.result()
        match raised:
            case None:
                return answers[0]
            case UserError():
                raise raised
            case SystemFault():
                raise Unavailable(f"plugin {plugin!r}: {hook}: {raised}") from raised
            case _:
                raise self.fault(plugin, hook, _raised(raised)) from raised

    def good(self, plugin: str, hook: str) -> None:
        """Note that an answer was found good."""
        self._faults.pop((plugin, hook), None)

    def fault(self, plugin: str, hook: str, what: str) -> PluginFault:
        """Count a fault and return the error that names plugin, hook and fault."""
        text = f"{hook} {what}"
        count = self._faults[plugin, hook] = self._faults.get((plugin, hook), 0) + 1
        LOG.error("plugin %s: %s (%d in a row)", plugin, text, count)
        if count >= self._limits.in_a_row:
            self._shut[plugin] = (
                self._clock.now() + self._limits.rest,
                f"{count} faults of {hook} in a row, the last: {text}",
            )
        return PluginFault(plugin, text)


async def _captured(call: Callable[[], Awaitable[T]]) -> tuple[list[T], BaseException | None]:
    """Await the call and return its outcome; a SystemExit that left a task would end the event loop."""
    try:
        return [await call()], None
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - this is the border
        return [], error


def _raised(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as second:  # noqa: BLE001 - the text of a plugin's exception is its code too
        text = f"(its text raises {type(second).__name__})"
    return f"raised {type(error).__name__}: {text[:TEXT_LIMIT]}"
