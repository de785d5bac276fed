"""What a schedule must have to be registered. Ticking is the scheduler's."""

from __future__ import annotations

import re

from flyteidl.admin.schedule_pb2 import FixedRateUnit, Schedule
from flyteidl.core.interface_pb2 import ParameterMap
from flyteidl.core.types_pb2 import SimpleType

from flyte_core.errors import InvalidInput

_FIELD = "spec.entity_metadata.schedule"
_LONGEST_CRON = 256
_DESCRIPTORS = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
_EVERY = re.compile(r"@every (?=.*[1-9])(?:\d+(?:\.\d+)?(?:h|m|s|ms))+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_PART = re.compile(r"(\*|\?|[a-z0-9]{1,8})(?:-([a-z0-9]{1,8}))?(?:/(\d{1,8}))?")


def schedule_type(schedule: Schedule) -> str:
    """Return the value of the column ``schedule_type``: NONE, CRON or RATE."""
    match schedule.WhichOneof("ScheduleExpression"):
        case "rate":
            return "RATE"
        case "cron_schedule" | "cron_expression":
            return "CRON"
        case _:
            return "NONE"


def check_schedule(schedule: Schedule, expected: ParameterMap) -> None:
    """Refuse a schedule that could not start executions (upstream's rules and texts).

    :param expected: the launch plan's expected inputs
    :raises InvalidInput: for a required input other than the kickoff time, a kickoff argument that is not an unbound
        datetime, a cron expression or rate that is none
    """
    kind = schedule_type(schedule)
    if kind == "NONE":
        return
    kickoff = schedule.kickoff_time_input_arg
    for name, parameter in sorted(expected.parameters.items()):
        if parameter.required and name != kickoff:
            raise InvalidInput(
                "Cannot create a launch plan with a schedule if there is an unbound required input. "
                f"[{name}] is required",
                field="spec.default_inputs",
            )
    if kickoff:
        _check_kickoff(kickoff, expected)
    if kind == "RATE":
        _check_rate(schedule)
    else:
        check_cron(schedule.cron_schedule.schedule or schedule.cron_expression)


def check_cron(expression: str) -> None:
    """Refuse what is not a cron expression of five fields, a descriptor (``@daily``) or ``@every`` and a duration.

    :raises InvalidInput: naming the field at fault
    """
    text = re.sub(r"^(?:CRON_)?TZ=\S{1,64}\s+", "", expression.strip()).lower()
    if len(text) <= _LONGEST_CRON and (text in _DESCRIPTORS or _EVERY.fullmatch(text)):
        return
    fields = text.split()
    if len(text) > _LONGEST_CRON or len(fields) != len(_CRON_FIELDS):
        raise _bad_cron(expression, f"{len(fields)} fields instead of five")
    for given, (name, low, high, names) in zip(fields, _CRON_FIELDS, strict=True):
        for part in given.split(","):
            if not _is_cron_part(part, low, high, names):
                raise _bad_cron(expression, f"{name} {given[:64]!r}")


def _is_cron_part(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None or (match[3] is not None and int(match[3]) == 0):
        return False
    if match[1] in ("*", "?"):
        return match[2] is None
    first = _cron_number(match[1], low, names)
    last = first if match[2] is None else _cron_number(match[2], low, names)
    return first is not None and last is not None and low <= first <= last <= high


def _cron_number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text in names:
        return names.index(text) + low
    return int(text) if text.isdigit() else None


def _bad_cron(expression: str, reason: str) -> InvalidInput:
    return InvalidInput(f"Invalid cron expression: {expression[:256]!r}: {reason}", field=_FIELD)


def _check_kickoff(name: str, expected: ParameterMap) -> None:
    field = f"{_FIELD}.kickoff_time_input_arg"
    if name not in expected.parameters:
        raise InvalidInput(
            f"Cannot create a schedule with a KickoffTimeInputArg that does not exist: {name}", field=field
        )
    if expected.parameters[name].var.type.simple != SimpleType.DATETIME:
        raise InvalidInput(
            f"KickoffTimeInputArg must reference a datetime input. [{name}] is another type", field=field
        )


def _check_rate(schedule: Schedule) -> None:
    if schedule.rate.value == 0:
        raise InvalidInput(f"invalid value for {_FIELD}.rate.value: it must be positive", field=f"{_FIELD}.rate.value")
    if schedule.rate.unit not in FixedRateUnit.values():
        raise InvalidInput(f"invalid value for {_FIELD}.rate.unit", field=f"{_FIELD}.rate.unit")
