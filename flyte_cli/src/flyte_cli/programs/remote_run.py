"""Starts executions and follows them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetDataRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.security_pb2 import Identity, SecurityContext

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.executions.live_tree import follow
from flyte_cli.executions.waiting import check_succeeded
from flyte_cli.programs.launch_options import LaunchOptions
from flyte_cli.showing.literal_values import literal_text, plain_map
from flyte_cli.showing.output import as_data, print_data
from flyte_kit.core.options import Options, RawOutputDataConfig
from flyte_kit.remote import FlyteRemote, FlyteWorkflowExecution


def start(
    client: FlyteRemote, entity: Any, inputs: Mapping[str, Any], asked: LaunchOptions, version: str | None
) -> Any:
    """Start an execution, tell of it, and follow it where that was asked for.

    :param version: of an entity of this program that is registered by now
    :raises click.ClickException: if it was followed and has not succeeded
    """
    execution = client.execute(
        entity,
        inputs=inputs,
        project=asked.project,
        domain=asked.domain,
        version=version,
        execution_name=asked.name,
        options=_options(asked),
        overwrite_cache=asked.overwrite_cache or None,
        interruptible=asked.interruptible,
        envs=asked.env or None,
        tags=asked.tags or None,
        cluster_pool=asked.cluster_pool,
        execution_cluster_label=asked.execution_cluster_label,
    )
    url = client.generate_console_url(execution)
    if asked.output == "table":
        click.echo(f"{execution.name} of {_launched(execution)}")
        click.echo(f"  {url}")
    if asked.wait:
        _follow(client, execution, asked)
        return
    if asked.output == "table":
        click.echo(f"  flyte get executions {execution.name} --watch")
    else:
        print_data({**as_data(execution.message), "url": url}, asked.output)


def _follow(client: FlyteRemote, execution: FlyteWorkflowExecution, asked: LaunchOptions) -> None:
    limit = asked.timeout.total_seconds() if asked.timeout is not None else None
    ended = follow(client.client.admin, execution.id, quiet=asked.output != "table", seconds=limit)
    succeeded = FlyteWorkflowExecution(ended).is_successful
    outputs = _outputs(client, execution.id) if succeeded else None
    if asked.output != "table":
        data = {**as_data(ended), "url": client.generate_console_url(execution)}
        print_data(data | ({"outputs": plain_map(outputs)} if outputs is not None else {}), asked.output)
    elif outputs is not None:
        for name, literal in sorted(outputs.literals.items()):
            click.echo(f"  {name}: {literal_text(literal)}")
    sys.stdout.flush()
    check_succeeded([ended])


def _outputs(client: FlyteRemote, identifier: WorkflowExecutionIdentifier) -> Any:
    request = WorkflowExecutionGetDataRequest(id=identifier)
    return client.client.call(client.client.admin.GetExecutionData, request, timeout=CALL_SECONDS).full_outputs


def _launched(execution: FlyteWorkflowExecution) -> str:
    plan = execution.spec.launch_plan
    return f"{plan.name} {plan.version}"


def _options(asked: LaunchOptions) -> Options:
    prefix = asked.raw_output_data_prefix
    account = asked.service_account
    return Options(
        labels=asked.labels or None,
        annotations=asked.annotations or None,
        raw_output_data_config=RawOutputDataConfig(output_location_prefix=prefix) if prefix else None,
        security_context=SecurityContext(run_as=Identity(k8s_service_account=account)) if account else None,
        max_parallelism=asked.max_parallelism,
        disable_notifications=asked.disable_notifications or None,
    )
