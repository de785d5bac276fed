{%- if cookiecutter.shape == "resource" -%}
"""Tasks of type ``{{ cookiecutter.name }}`` as objects of the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flyte_core.cluster import POD, Manifest
from flyte_core.command_templates import fill
from flyte_core.errors import InvalidInput
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, TaskContext
from flyteidl.core.execution_pb2 import ExecutionError


class {{ cookiecutter.class_name }}:
    """Runs a task's container in a Pod of its own. Both methods are pure: the same arguments, the same answer."""

    plugin_id = "{{ cookiecutter.name }}"
    task_types: Sequence[str] = ("{{ cookiecutter.name }}",)
    kind = POD  # of an operator: Kind("sparkoperator.k8s.io/v1beta2", "SparkApplication", "sparkapplications")
    name_limit = 50

    def __init__(self, *, greeting: str) -> None:
        self._greeting = greeting

    def build(self, ctx: TaskContext) -> Manifest:
        """Return the object to create. The platform adds name, namespace, owner, labels and annotations."""
        container = ctx.template.container
        if not container.image:
            raise InvalidInput("the container has no image", field="container.image")
        spec = {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "main",
                    "image": container.image,
                    "args": fill(container.args, ctx),
                    "env": [{"name": "GREETING", "value": self._greeting}],
                }
            ],
        }
        return {"apiVersion": self.kind.api_version, "kind": self.kind.kind, "metadata": {}, "spec": spec}

    def observe(self, ctx: TaskContext, resource: Manifest) -> PhaseInfo:
        """Return the phase that the object shows, whatever it shows."""
        status: Any = resource.get("status")
        phase = status.get("phase") if isinstance(status, Mapping) else None
        match phase:
            case "Running":
                return PhaseInfo(TaskPhase.RUNNING)
            case "Succeeded":
                return PhaseInfo(TaskPhase.SUCCESS)
            case "Failed":
                # USER costs one of the task's own retries, SYSTEM one of the platform's.
                error = ExecutionError(code="Failed", message=str(status.get("message")), kind=ExecutionError.USER)
                return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=error)
            case _:
                return PhaseInfo(TaskPhase.QUEUED)
{%- elif cookiecutter.shape == "remote-job" -%}
"""Tasks of type ``{{ cookiecutter.name }}`` as jobs behind an API."""

from __future__ import annotations

from collections.abc import Sequence

from flyte_core.errors import InvalidInput
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, RemoteJob, TaskContext
from flyteidl.core.execution_pb2 import ExecutionError

from {{ cookiecutter.module }}.backend import Backend


class {{ cookiecutter.class_name }}:
    """Runs a task as a job of the backend. Calls may be repeated, also after a crash of the platform."""

    plugin_id = "{{ cookiecutter.name }}"
    task_types: Sequence[str] = ("{{ cookiecutter.name }}",)
    name_limit = 50

    def __init__(self, *, greeting: str, backend: Backend | None = None) -> None:
        self._greeting = greeting
        self._backend = backend or Backend()

    async def create(self, ctx: TaskContext, *, token: str) -> RemoteJob:
        """Start the job, or find the one that this token started. Raise SystemFault when the backend is away."""
        if not ctx.template.id.name:
            raise InvalidInput("the task has no name", field="id.name")
        job_id = await self._backend.start(f"{self._greeting} {ctx.template.id.name}", token=token)
        # At most 10 KiB: what finds the job again.
        return RemoteJob(job_id.encode())

    async def get(self, ctx: TaskContext, job: RemoteJob) -> PhaseInfo:
        """Return the phase now. On SUCCESS the job must have left ``outputs.pb`` at ``ctx.paths.output_prefix``."""
        match await self._backend.state(job.meta.decode()):
            case "running":
                return PhaseInfo(TaskPhase.RUNNING)
            case "done":
                return PhaseInfo(TaskPhase.SUCCESS)
            case other:
                error = ExecutionError(code="JobLost", message=f"the job is {other}", kind=ExecutionError.SYSTEM)
                return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=error)

    async def delete(self, ctx: TaskContext, job: RemoteJob) -> bool:
        """Ask for the job's end; True once the backend says that nothing of it is left."""
        await self._backend.stop(job.meta.decode())
        return await self._backend.state(job.meta.decode()) == "gone"
{%- else -%}
"""Tasks of type ``{{ cookiecutter.name }}``, done within one call."""

from __future__ import annotations

from collections.abc import Sequence

from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar


class {{ cookiecutter.class_name }}:
    """Greets whom the input ``name`` names."""

    plugin_id = "{{ cookiecutter.name }}"
    task_types: Sequence[str] = ("{{ cookiecutter.name }}",)
    name_limit = 50

    def __init__(self, *, greeting: str) -> None:
        self._greeting = greeting

    async def run(self, ctx: TaskContext) -> LiteralMap:
        """Return the outputs. It may be called again for the same attempt, after a crash of the platform."""
        if "name" not in ctx.inputs.literals:
            raise InvalidInput("input 'name' is missing", field="name")
        text = f"{self._greeting} {ctx.inputs.literals['name'].scalar.primitive.string_value}"
        return LiteralMap(literals={"o0": Literal(scalar=Scalar(primitive=Primitive(string_value=text)))})
{%- endif %}
