"""The workflow compiler: from what an SDK registers to what a data plane executes.

It adds start and end node, resolves references, draws the edges both ways, and checks every binding. It is pure, takes
time linear in the size of the workflow, and reports all problems at once, with upstream's codes and text form.
"""

from flyte_core.compiler.dynamic import compile_dynamic, launch_plans_named
from flyte_core.compiler.problems import Code, CompileErrors, Problem
from flyte_core.compiler.references import LaunchPlanInterface, launch_plan_interface, nodes_of
from flyte_core.compiler.tasks import compile_task
from flyte_core.compiler.workflows import compile_workflow

__all__ = [
    "Code",
    "CompileErrors",
    "LaunchPlanInterface",
    "Problem",
    "compile_dynamic",
    "compile_task",
    "compile_workflow",
    "launch_plan_interface",
    "launch_plans_named",
    "nodes_of",
]
