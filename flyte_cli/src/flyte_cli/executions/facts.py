"""What there is to say about an execution, as plain data."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.execution_pb2 import Execution, ExecutionMetadata
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.security_pb2 import SecurityContext

from flyte_cli.options.urns import urn
from flyte_cli.showing.masking import shown_value
from flyte_cli.showing.times import iso_text, now, seconds_of


def execution_facts(row: Execution, http_url: str) -> dict[str, Any]:
    """Return what was asked for, by whom, and what has become of it; without values of inputs and outputs.

    :param http_url: of the console; empty when unknown
    """
    spec, closure, metadata = row.spec, row.closure, row.spec.metadata
    return {
        "execution": urn(row.id),
        "phase": WorkflowExecution.Phase.Name(closure.phase),
        "launch_plan": urn(spec.launch_plan) if spec.launch_plan.name else "",
        "workflow": urn(closure.workflow_id) if closure.workflow_id.name else "",
        "mode": ExecutionMetadata.ExecutionMode.Name(metadata.mode),
        "user": metadata.principal,
        "created": iso_text(closure.created_at),
        "scheduled": iso_text(metadata.scheduled_at),
        "started": iso_text(closure.started_at),
        "updated": iso_text(closure.updated_at),
        "seconds": round(seconds_of(closure, now()), 3),
        "aborted_because": closure.abort_metadata.cause,
        "aborted_by": closure.abort_metadata.principal,
        "launched_by": _parent(metadata),
        "runs_again": urn(metadata.reference_execution) if metadata.reference_execution.name else "",
        "cluster": metadata.system_metadata.execution_cluster,
        "page": _page(row, http_url),
        **_settings(spec),
    }


def _settings(spec: Any) -> dict[str, Any]:
    return {
        "max_parallelism": spec.max_parallelism or None,
        "interruptible": spec.interruptible.value if spec.HasField("interruptible") else None,
        "overwrite_cache": spec.overwrite_cache,
        "raw_output_prefix": spec.raw_output_data_config.output_location_prefix,
        "tags": list(spec.tags),
        "labels": dict(sorted(spec.labels.values.items())),
        "annotations": dict(sorted(spec.annotations.values.items())),
        "environment": shown_environment(spec.envs.values),
        **security_facts(spec.security_context),
    }


def security_facts(context: SecurityContext) -> dict[str, Any]:
    """Return as whom tasks run, and the names of the secrets that they get."""
    return {
        "service_account": context.run_as.k8s_service_account,
        "iam_role": context.run_as.iam_role,
        "secrets": ["/".join(filter(None, (secret.group, secret.key))) for secret in context.secrets],
    }


def shown_environment(variables: Any) -> dict[str, str]:
    """Return variables by name, with the values of those that are named like secrets hidden."""
    return {each.key: shown_value(each.key, each.value) for each in variables}


def error_facts(closure: Any) -> dict[str, str] | None:
    """Return why an execution, node or attempt failed; None if it did not."""
    if not closure.HasField("error"):
        return None
    error = closure.error
    return {
        "kind": ExecutionError.ErrorKind.Name(error.kind),
        "code": error.code,
        "message": error.message.strip("\n"),
    }


def _parent(metadata: ExecutionMetadata) -> str:
    parent = metadata.parent_node_execution
    return f"{urn(parent.execution_id)} node {parent.node_id}" if parent.node_id else ""


def _page(row: Execution, http_url: str) -> str:
    if not http_url:
        return ""
    where = f"projects/{row.id.project}/domains/{row.id.domain}/executions/{row.id.name}"
    return f"{http_url.rstrip('/')}/console/{where}"
