"""Runs an entity in this process."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flyte_cli.programs.entities import Entity
from flyte_cli.programs.failures import failure
from flyte_cli.showing.literal_values import plain
from flyte_kit.core.context_manager import ExecutionMode, FlyteContextManager
from flyte_kit.core.interface import Interface
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    from flyte_kit.core import coroutines
else:
    coroutines = deferred("flyte_kit.core.coroutines")


def run_here(entity: Entity, inputs: Mapping[str, Any]) -> Any:
    """Return what the entity returns.

    :raises click.ClickException: if it fails; the traceback of the user's own code is printed first
    """
    try:
        result = entity(**inputs)
        if inspect.iscoroutine(result):
            result = coroutines.run(result)
    except Exception as error:  # the border to the user's code: whatever it raises is shown
        raise failure(f"{entity.name} failed", error) from error
    return result


def outputs_by_name(interface: Interface, result: Any) -> dict[str, Any]:
    """Return the values of outputs by name."""
    names = list(interface.outputs)
    if not names:
        return {}
    if len(names) == 1 and not (interface.output_tuple_name and isinstance(result, tuple)):
        return {names[0]: result}
    return dict(zip(names, result, strict=True))


def plain_outputs(interface: Interface, result: Any) -> dict[str, Any]:
    """Return outputs as JSON-like data, in the form that they have for other tasks."""
    ctx = FlyteContextManager.current_context()
    state = ctx.new_execution_state().with_params(mode=ExecutionMode.LOCAL_TASK_EXECUTION)
    local = ctx.with_execution_state(state)
    variables = interface.typed.outputs.variables
    return {
        name: plain(TypeEngine.to_literal(local, value, interface.outputs[name], variables[name].type))
        for name, value in outputs_by_name(interface, result).items()
    }
