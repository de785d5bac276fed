"""What the platform adds to every container of a pod: environment, filled templates, resources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flyte_core.command_templates import fill
from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.log_links import LINK_TYPE
from flyte_plugin_pod.resources import capped, with_defaults

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def container_name(ctx: TaskContext) -> str:
    """Return the name of the only container: the pod's where that is a DNS label."""
    name = ctx.generated_name
    return name if _DNS_LABEL.fullmatch(name) else "primary"


def finished(container: Mapping[str, Any], ctx: TaskContext, config: PodConfig, *, primary: bool) -> dict[str, Any]:
    """Return the container with all that the platform adds.

    :raises flyte_core.errors.InvalidInput: if the template asks for what there is not
    """
    built = dict(container)
    for key in ("command", "args"):
        words = built.get(key)
        if words:
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise InvalidInput(f"{key} of container {built['name']!r} must be a list of texts", field=key)
            built[key] = fill(words, ctx)
    given = built.get("env") or []
    built["env"] = [*given, *_variables(environment(ctx, config))]
    sources = env_sources(config)
    if sources:
        built["envFrom"] = [*(built.get("envFrom") or []), *sources]
    if primary and ctx.container_image:
        built["image"] = ctx.container_image
    built["resources"] = with_defaults(built, ctx, config) if primary else capped(built, ctx)
    if primary:
        built.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")
    if config.image_pull_policy:
        built.setdefault("imagePullPolicy", config.image_pull_policy)
    return built


def environment(ctx: TaskContext, config: PodConfig) -> Iterable[tuple[str, str]]:
    """Yield the platform's variables in upstream's order, after the template's own; the last one of a name wins."""
    execution, task = ctx.id.node_execution_id.execution_id, ctx.id.task_id
    yield "FLYTE_INTERNAL_EXECUTION_WORKFLOW", ctx.workflow_id
    yield "FLYTE_INTERNAL_EXECUTION_ID", execution.name
    yield "FLYTE_INTERNAL_EXECUTION_PROJECT", execution.project
    yield "FLYTE_INTERNAL_EXECUTION_DOMAIN", execution.domain
    yield "FLYTE_ATTEMPT_NUMBER", str(ctx.id.retry_attempt)
    if ctx.console_url and ctx.template.config.get(LINK_TYPE):
        where = f"projects/{execution.project}/domains/{execution.domain}/executions/{execution.name}"
        node = ctx.id.node_execution_id.node_id
        yield "FLYTE_EXECUTION_URL", f"{ctx.console_url.rstrip('/')}/{where}/nodeId/{node}/nodes"
    yield "FLYTE_INTERNAL_TASK_PROJECT", task.project
    yield "FLYTE_INTERNAL_TASK_DOMAIN", task.domain
    yield "FLYTE_INTERNAL_TASK_NAME", task.name
    yield "FLYTE_INTERNAL_TASK_VERSION", task.version
    yield from ctx.env.items()
    yield from config.environment().items()


def env_sources(config: PodConfig) -> list[dict[str, Any]]:
    """Return what else the configuration takes environment from."""
    maps = [{"configMapRef": {"name": name, "optional": True}} for name in config.default_env_from_configmaps]
    return [*maps, *({"secretRef": {"name": name, "optional": True}} for name in config.default_env_from_secrets)]


def _variables(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
