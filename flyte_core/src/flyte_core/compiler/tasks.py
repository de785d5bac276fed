"""Compiles a task: checks that it is complete."""

from __future__ import annotations

from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.core.compiler_pb2 import CompiledTask
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_core.compiler.problems import Code, Problems


def compile_task(task: TaskSpec | TaskTemplate) -> CompiledTask:
    """Return the task as it is registered and as workflows embed it.

    :raises flyte_core.compiler.CompileErrors: if the name, the type, a variable's type, a container's image or a
        pod's spec is missing
    """
    template = task.template if isinstance(task, TaskSpec) else task
    problems = Problems()
    name = template.id.name
    if not name:
        problems.add(Code.VALUE_REQUIRED, name, "Value required [id.name].")
    if not template.type:
        problems.add(Code.VALUE_REQUIRED, name, "Value required [type].")
    for side, variables in (("inputs", template.interface.inputs), ("outputs", template.interface.outputs)):
        for variable, described in variables.variables.items():
            if described.type.WhichOneof("type") is None:
                problems.add(Code.VALUE_REQUIRED, name, f"Value required [interface.{side}.{variable}.type].")
    if template.WhichOneof("target") == "container" and not template.container.image:
        problems.add(Code.VALUE_REQUIRED, name, "Value required [container.image].")
    if template.WhichOneof("target") == "k8s_pod" and not template.k8s_pod.HasField("pod_spec"):
        problems.add(Code.VALUE_REQUIRED, name, "Value required [k8s_pod.pod_spec].")
    problems.raise_any()
    return CompiledTask(template=template)
