"""How an execution is to be run, when several places say so: the more specific one wins, field by field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from flyteidl.admin.execution_pb2 import ExecutionSpec
from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.admin.matchable_resource_pb2 import WorkflowExecutionConfig
from flyteidl.core.security_pb2 import SecurityContext

ConfigSource: TypeAlias = ExecutionSpec | LaunchPlanSpec | WorkflowExecutionConfig
"""The messages that carry the same eight fields under the same names."""


def _default_config() -> WorkflowExecutionConfig:
    return WorkflowExecutionConfig(max_parallelism=25)


@dataclass(frozen=True, slots=True)
class LaunchSettings:
    """The platform's own say in how executions run.

    :ivar defaults: used where neither request nor launch plan nor project say anything (``flyteadmin`` section of
        upstream's configuration; 25 nodes at once)
    :ivar namespace_template: Kubernetes namespace of an execution; knows ``{{ project }}`` and ``{{ domain }}``
    :ivar cluster: id under which the data plane reports, stored with each execution; upstream's is empty
    """

    defaults: WorkflowExecutionConfig = field(default_factory=_default_config)
    namespace_template: str = "{{ project }}-{{ domain }}"
    cluster: str = ""

    def namespace(self, project: str, domain: str) -> str:
        """Return the namespace of a project's domain."""
        return self.namespace_template.replace("{{ project }}", project).replace("{{ domain }}", domain)


def merge_execution_config(
    request: ExecutionSpec,
    launch_plan: LaunchPlanSpec,
    project: WorkflowExecutionConfig | None,
    settings: LaunchSettings,
) -> ExecutionSpec:
    """Return the request's spec with every field that it leaves open filled from the next source that speaks.

    Upstream's order: request, launch plan, matchable resource of the project, deprecated auth role, platform. A
    security context counts only if it says who to run as; an empty map of labels, annotations or environment variables
    says nothing.
    """
    sources: list[ConfigSource] = [request, launch_plan]
    if project is not None:
        sources.append(project)
    sources.append(settings.defaults)
    merged = ExecutionSpec()
    merged.CopyFrom(request)
    for name in ("raw_output_data_config", "labels", "annotations", "envs", "interruptible"):
        source = next((source for source in sources if _says(source, name)), None)
        if source is not None:
            getattr(merged, name).CopyFrom(getattr(source, name))
    merged.max_parallelism = next((s.max_parallelism for s in sources if s.max_parallelism), 0)
    merged.overwrite_cache = any(source.overwrite_cache for source in sources)
    merged.security_context.CopyFrom(_security_context(sources, request, launch_plan))
    return merged


def _says(source: ConfigSource, name: str) -> bool:
    if not source.HasField(name):
        return False
    match name:
        case "raw_output_data_config":
            return bool(source.raw_output_data_config.output_location_prefix)
        case "interruptible":
            return isinstance(source, ExecutionSpec | LaunchPlanSpec) or source.interruptible.value
        case _:
            return bool(getattr(source, name).values)


def _security_context(
    sources: list[ConfigSource], request: ExecutionSpec, launch_plan: LaunchPlanSpec
) -> SecurityContext:
    for source in sources[:-1]:
        run_as = source.security_context.run_as
        if run_as.iam_role or run_as.k8s_service_account or run_as.execution_identity:
            return source.security_context
    context = SecurityContext()
    context.run_as.SetInParent()
    for role in (request.auth_role, launch_plan.auth_role, launch_plan.auth):
        if role.assumable_iam_role or role.kubernetes_service_account:
            context.run_as.iam_role = role.assumable_iam_role
            context.run_as.k8s_service_account = role.kubernetes_service_account
            return context
    context.run_as.MergeFrom(sources[-1].security_context.run_as)
    return context
