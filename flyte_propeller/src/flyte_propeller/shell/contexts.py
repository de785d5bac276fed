"""Builds what a plugin may know of one attempt."""

from __future__ import annotations

from flyteidl.core.identifier_pb2 import TaskExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core import paths
from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext, TaskPaths
from flyte_propeller.machine.event_requests import checkpoint_uri, generated_name, node_execution, raw_output_name
from flyte_propeller.machine.retry import is_interruptible
from flyte_propeller.machine.workflow import Node, Workflow

ARRAY_INDEX = "FLYTE_K8S_ARRAY_INDEX"


def task_context(
    workflow: Workflow,
    node: Node,
    attempt: int,
    *,
    system_failures: int = 0,
    checkpoint: str = "",
    inputs: LiteralMap | None = None,
) -> TaskContext:
    """Return the context of that attempt.

    :param checkpoint: that the first attempt goes on from
    :param inputs: resolved inputs; only needed to launch it
    """
    if node.task is None:
        raise InvalidInput(f"node {node.id!r} runs no task")
    where = workflow.paths_of(node)
    raw = paths.raw_output_dir(workflow.raw_output_prefix, raw_output_name(workflow, node, attempt))
    return TaskContext(
        id=TaskExecutionIdentifier(
            task_id=node.task.id, node_execution_id=node_execution(workflow, node), retry_attempt=attempt
        ),
        template=node.task,
        generated_name=generated_name(workflow, node, attempt),
        namespace=workflow.namespace,
        workflow_id=workflow.id,
        paths=TaskPaths(
            inputs=workflow.inputs_of(node),
            output_prefix=where.output_dir(attempt),
            raw_output_prefix=raw,
            checkpoint_prefix=paths.checkpoint_dir(raw),
            previous_checkpoint_prefix=checkpoint_uri(workflow, node, attempt - 1) if attempt else checkpoint,
        ),
        owner=workflow.owner,
        labels=workflow.labels,
        annotations=workflow.annotations,
        env={**workflow.env, **_array_env(node)} if node.element is not None else workflow.env,
        interruptible=is_interruptible(workflow.wants_interruptible(node), system_failures),
        security=workflow.security,
        platform_resources=workflow.platform_resources,
        overrides=node.resources,
        container_image=node.container_image,
        pod_template=node.pod_template,
        inputs=inputs or LiteralMap(),
        console_url=workflow.console_url,
        spec_node_id=node.id if node.element is not None else "",
    )


def _array_env(node: Node) -> dict[str, str]:
    """Return how an element of an array node learns its index (upstream's variables)."""
    return {"BATCH_JOB_ARRAY_INDEX_VAR_NAME": ARRAY_INDEX, ARRAY_INDEX: str(node.element)}
