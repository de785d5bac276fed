"""Writes the FlyteWorkflow v1alpha1 resource: the contract between the control plane and the data plane.

The manifest is what upstream's control plane creates, so that either side may be upstream's.
"""

from flyte_core.flyteworkflow.manifest import (
    FINALIZER,
    LaunchFacts,
    PluginOverride,
    build_flyte_workflow,
    offload_closure,
    offload_inputs,
    restore_closure,
)
from flyte_core.flyteworkflow.spec import ClosureParts, closure_parts, workflow_spec
from flyte_core.flyteworkflow.task_defaults import with_task_defaults

__all__ = [
    "FINALIZER",
    "ClosureParts",
    "LaunchFacts",
    "PluginOverride",
    "build_flyte_workflow",
    "closure_parts",
    "offload_closure",
    "offload_inputs",
    "restore_closure",
    "with_task_defaults",
    "workflow_spec",
]
