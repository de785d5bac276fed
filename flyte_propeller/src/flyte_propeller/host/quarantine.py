"""Calls plugins so that their faults stay theirs: a fault fails the task, several in a row shut the plugin out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core.errors import InvalidInput, SystemFault, UserError
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo

LOG = logging.getLogger(__name__)
T = TypeVar("T")
FAULTS_IN_A_ROW = 20
"""Faults of one plugin without a good answer in between, after which it is not called any more."""


class PluginFault(Exception):
    """A plugin raised, or answered with what the hook does not allow."""


class Quarantine:
    """Counts faults by plugin id."""

    def __init__(self) -> None:
        self._faults: dict[str, int] = {}
        self._reasons: dict[str, str] = {}

    def reason(self, plugin_id: str) -> str:
        """Return why the plugin is shut out, empty when it is not."""
        return self._reasons.get(plugin_id, "")

    def call(self, plugin_id: str, what: str, hook: Callable[[], T], wanted: type[T] | tuple[type, ...]) -> T:
        """Call a pure hook and return its answer.

        :raises PluginFault: if it raises anything unexpected, or answers with another type
        :raises flyte_core.errors.InvalidInput: as the hook may, for a template that cannot be run
        """
        try:
            answer = hook()
        except InvalidInput:
            raise
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise
        except BaseException as error:
            raise self._fault(plugin_id, f"{what} raised {type(error).__name__}: {error}") from error
        if not isinstance(answer, wanted):
            raise self._fault(plugin_id, f"{what} returned {type(answer).__name__}")
        self._faults.pop(plugin_id, None)
        return answer

    async def await_call(self, plugin_id: str, what: str, hook: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Await a hook that does I/O, at most that long.

        :raises PluginFault: as :meth:`call`
        :raises flyte_core.errors.UserError: as the hook may: a permanent failure
        :raises flyte_core.errors.SystemFault: as the hook may: the backend does not answer
        """
        try:
            async with asyncio.timeout(seconds):
                answer = await hook()
        except (UserError, SystemFault, asyncio.CancelledError, KeyboardInterrupt):
            raise
        except TimeoutError as error:
            raise self._fault(plugin_id, f"{what} took longer than {seconds:g} s") from error
        except BaseException as error:
            raise self._fault(plugin_id, f"{what} raised {type(error).__name__}: {error}") from error
        self._faults.pop(plugin_id, None)
        return answer

    def check_report(self, plugin_id: str, info: PhaseInfo) -> PhaseInfo:
        """Return the report, or a failure when it contradicts itself."""
        failed = info.phase in (TaskPhase.RETRYABLE_FAILURE, TaskPhase.PERMANENT_FAILURE)
        if not isinstance(info.phase, TaskPhase) or info.phase is TaskPhase.UNDEFINED:
            raise self._fault(plugin_id, f"observe reported phase {info.phase!r}")
        if failed and info.error is None:
            raise self._fault(plugin_id, f"observe reported {info.phase.name} without an error")
        return info

    def _fault(self, plugin_id: str, text: str) -> PluginFault:
        count = self._faults[plugin_id] = self._faults.get(plugin_id, 0) + 1
        LOG.error("plugin %s: %s (%d in a row)", plugin_id, text, count)
        if count >= FAULTS_IN_A_ROW:
            self._reasons[plugin_id] = f"{count} faults in a row, the last: {text}"
        return PluginFault(f"plugin {plugin_id!r}: {text}")


def fault_report(message: str, *, retryable: bool = True) -> PhaseInfo:
    """Return the failure of an attempt that a plugin's fault has caused."""
    phase = TaskPhase.RETRYABLE_FAILURE if retryable else TaskPhase.PERMANENT_FAILURE
    return PhaseInfo(phase, error=ExecutionError(code="PluginFault", message=message, kind=ExecutionError.SYSTEM))
