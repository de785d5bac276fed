"""What a plugin may report: checked before anybody believes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flyteidl.core.execution_pb2 import ExecutionError, TaskLog
from flyteidl.event.event_pb2 import ExternalResourceInfo

from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo

FAILURES = frozenset({TaskPhase.RETRYABLE_FAILURE, TaskPhase.PERMANENT_FAILURE})
NOT_FOR_PLUGINS = frozenset({TaskPhase.UNDEFINED, TaskPhase.ABORTED, TaskPhase.WAITING_FOR_CACHE})
"""Phases that only the platform gives."""


def problem_of(info: object) -> str:
    """Say what is wrong with a report, in one line; empty when nothing is."""
    if not isinstance(info, PhaseInfo):
        return f"returned {type(info).__name__}, not PhaseInfo"
    phase = info.phase
    if type(phase) is not TaskPhase:
        return f"reported {phase!r}, which is no TaskPhase"
    if phase in NOT_FOR_PLUGINS:
        return f"reported {phase.name}, a phase that plugins do not report"
    if phase in FAILURES and not isinstance(info.error, ExecutionError):
        return f"reported {phase.name} without an ExecutionError"
    if phase not in FAILURES and info.error is not None:
        return f"reported {phase.name} with an error"
    if info.has_futures:
        return f"reported {phase.name} with has_futures, which only the platform finds out"
    return _field_problem(info)


def _field_problem(info: PhaseInfo) -> str:
    moment = info.occurred_at
    checks = {
        "version": isinstance(info.version, int) and 0 <= info.version < 2**32,
        "reason": isinstance(info.reason, str),
        "logs": _all_are(info.logs, TaskLog),
        "external_resources": _all_are(info.external_resources, ExternalResourceInfo),
        "occurred_at": moment is None or (isinstance(moment, datetime) and moment.tzinfo is not None),
        "custom_info": info.custom_info is None or isinstance(info.custom_info, Mapping),
    }
    wrong = [name for name, right in checks.items() if not right]
    if not wrong:
        return ""
    values = ", ".join(f"{name}={getattr(info, name)!r:.100}" for name in wrong)
    return f"reported {info.phase.name} with {values}, which PhaseInfo does not allow"


def _all_are(items: object, wanted: type) -> bool:
    return isinstance(items, tuple) and all(isinstance(item, wanted) for item in items)
