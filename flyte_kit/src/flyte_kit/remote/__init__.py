"""The control plane from Python."""

from flyte_kit.remote.entities import FlyteLaunchPlan, FlyteTask, FlyteWorkflow
from flyte_kit.remote.executions import FlyteNodeExecution, FlyteTaskExecution, FlyteWorkflowExecution
from flyte_kit.remote.remote import FlyteRemote

__all__ = [
    "FlyteLaunchPlan",
    "FlyteNodeExecution",
    "FlyteRemote",
    "FlyteTask",
    "FlyteTaskExecution",
    "FlyteWorkflow",
    "FlyteWorkflowExecution",
]
