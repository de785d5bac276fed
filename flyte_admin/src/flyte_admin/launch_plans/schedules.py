"""What a schedule must have to be registered. Ticking is the scheduler's."""

from __future__ import annotations

from datetime import UTC, datetime

from flyteidl.admin.schedule_pb2 import Schedule
from flyteidl.core.interface_pb2 import ParameterMap
from flyteidl.core.types_pb2 import SimpleType

from flyte_core.errors import InvalidInput
from flyte_core.timetables import timetable

_FIELD = "spec.entity_metadata.schedule"


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
        datetime, a cron expression, offset or rate that is none
    """
    if schedule_type(schedule) == "NONE":
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
    try:
        timetable(schedule, datetime.now(UTC))
    except InvalidInput as error:
        raise InvalidInput(str(error), field=f"{_FIELD}.{error.field}") from error


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
