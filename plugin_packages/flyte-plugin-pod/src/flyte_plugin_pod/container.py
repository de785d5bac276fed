"""The container of a task as Kubernetes has it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flyteidl.core.tasks_pb2 import Container

from flyte_core.command_templates import fill
from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.resources import container_resources

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def build_container(ctx: TaskContext, config: PodConfig) -> dict[str, Any]:
    """Return the container of a task whose template has one.

    :raises flyte_core.errors.InvalidInput: if the template asks for what a pod cannot give
    """
    container: Container = ctx.template.container
    if container.HasField("data_config") and container.data_config.enabled:
        raise InvalidInput(
            f"task {ctx.template.id.name}: data_config (the copilot of raw containers) is not supported yet; "
            "read inputs through {{.inputs.NAME}} and write outputs.pb to {{.outputPrefix}}"
        )
    image = ctx.container_image or container.image
    if not image:
        raise InvalidInput(f"task {ctx.template.id.name}: the container has no image", field="container.image")
    built: dict[str, Any] = {"name": container_name(ctx), "image": image}
    if container.command:
        built["command"] = fill(container.command, ctx)
    if container.args:
        built["args"] = fill(container.args, ctx)
    built["env"] = environment(ctx, config, ((pair.key, pair.value) for pair in container.env))
    built["resources"] = container_resources(container, ctx.overrides, ctx.platform_resources)
    built["terminationMessagePolicy"] = "FallbackToLogsOnError"
    if config.image_pull_policy:
        built["imagePullPolicy"] = config.image_pull_policy
    return built


def container_name(ctx: TaskContext) -> str:
    """Return the primary container's name: the pod's where that is a DNS label."""
    name = ctx.generated_name
    return name if _DNS_LABEL.fullmatch(name) else "primary"


def environment(ctx: TaskContext, config: PodConfig, own: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the variables of one container, in upstream's order; the last one of a name wins."""
    execution, task = ctx.id.node_execution_id.execution_id, ctx.id.task_id
    pairs: list[tuple[str, str]] = [
        *own,
        ("FLYTE_INTERNAL_EXECUTION_WORKFLOW", ctx.workflow_id),
        ("FLYTE_INTERNAL_EXECUTION_ID", execution.name),
        ("FLYTE_INTERNAL_EXECUTION_PROJECT", execution.project),
        ("FLYTE_INTERNAL_EXECUTION_DOMAIN", execution.domain),
        ("FLYTE_ATTEMPT_NUMBER", str(ctx.id.retry_attempt)),
        ("FLYTE_INTERNAL_TASK_PROJECT", task.project),
        ("FLYTE_INTERNAL_TASK_DOMAIN", task.domain),
        ("FLYTE_INTERNAL_TASK_NAME", task.name),
        ("FLYTE_INTERNAL_TASK_VERSION", task.version),
    ]
    if ctx.console_url and ctx.template.config.get("link_type"):
        where = f"projects/{execution.project}/domains/{execution.domain}/executions/{execution.name}"
        node = ctx.id.node_execution_id.node_id
        pairs.append(("FLYTE_EXECUTION_URL", f"{ctx.console_url}/{where}/nodeId/{node}/nodes"))
    pairs += [*ctx.env.items(), *config.env.items()]
    return [{"name": name, "value": value} for name, value in pairs]
