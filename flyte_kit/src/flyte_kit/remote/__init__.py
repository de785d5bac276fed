"""The control plane from Python. Names are loaded when they are first asked for: a channel alone costs little."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyte_kit.remote.entities import FlyteLaunchPlan as FlyteLaunchPlan
    from flyte_kit.remote.entities import FlyteTask as FlyteTask
    from flyte_kit.remote.entities import FlyteWorkflow as FlyteWorkflow
    from flyte_kit.remote.executions import FlyteNodeExecution as FlyteNodeExecution
    from flyte_kit.remote.executions import FlyteTaskExecution as FlyteTaskExecution
    from flyte_kit.remote.executions import FlyteWorkflowExecution as FlyteWorkflowExecution
    from flyte_kit.remote.remote import FlyteRemote as FlyteRemote

_MODULES = {
    "FlyteLaunchPlan": "entities",
    "FlyteNodeExecution": "executions",
    "FlyteRemote": "remote",
    "FlyteTask": "entities",
    "FlyteTaskExecution": "executions",
    "FlyteWorkflow": "entities",
    "FlyteWorkflowExecution": "executions",
}

__all__ = [*sorted(_MODULES)]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'flyte_kit.remote' has no attribute {name!r}")
    value = getattr(import_module(f"flyte_kit.remote.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
