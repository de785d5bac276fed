"""Executions as flytectl's files (``--execFile``) describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flyteidl.core.security_pb2 import Identity, SecurityContext

from flyte_cli.options.described_files import read_described, text_of
from flyte_core.errors import InvalidInput
from flyte_kit.core.input_text import value_of_document
from flyte_kit.core.options import Options
from flyte_kit.remote import FlyteRemote
from flyte_kit.remote.entities import RemoteEntity
from flyte_kit.remote.executions import FlyteWorkflowExecution

_TEXTS = {
    "workflow": "workflow",
    "task": "task",
    "version": "version",
    "targetProject": "project",
    "targetDomain": "domain",
    "kubeServiceAcct": "service_account",
    "iamRoleARN": "iam_role",
    "clusterPool": "cluster_pool",
    "targetExecutionCluster": "cluster_label",
}
"""Key of the file → field of :class:`Order`."""
_KEYS = (*_TEXTS, "inputs", "envs", "overwriteCache")


@dataclass(frozen=True, slots=True)
class Order:
    """An execution that is asked for.

    :ivar workflow: name of a launch plan; either this or ``task``
    :ivar version: of it; the newest if empty
    :ivar project: where the execution runs; where the launch plan is, if empty; likewise ``domain``
    :ivar inputs: plain data by name
    """

    workflow: str = ""
    task: str = ""
    version: str = ""
    project: str = ""
    domain: str = ""
    service_account: str = ""
    iam_role: str = ""
    cluster_pool: str = ""
    cluster_label: str = ""
    overwrite_cache: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    envs: Mapping[str, str] = field(default_factory=dict)

    def with_options(self, **options: Any) -> Order:
        """Return the order with the options that are given, which win."""
        return replace(self, **{name: value for name, value in options.items() if value})

    def security(self) -> SecurityContext | None:
        """Return the identity under which it runs; None for the default one."""
        if not (self.service_account or self.iam_role):
            return None
        identity = Identity(k8s_service_account=self.service_account, iam_role=self.iam_role)
        return SecurityContext(run_as=identity)


def read_order(path: Path) -> Order:
    """Return what a file asks for.

    :raises flyte_core.errors.InvalidInput: naming the key that is wrong
    """
    found = read_described(path, _KEYS)
    texts = {name: text_of(found, key, path) for key, name in _TEXTS.items()}
    for key in ("inputs", "envs"):
        if not isinstance(found.get(key) or {}, dict):
            raise InvalidInput(f"{path}: {key}: give names and values (name: value)", field=key)
    if not isinstance(found.get("overwriteCache", False), bool):
        raise InvalidInput(f"{path}: overwriteCache: write true or false", field="overwriteCache")
    envs = {str(name): str(value) for name, value in (found.get("envs") or {}).items()}
    inputs = {str(name): value for name, value in (found.get("inputs") or {}).items()}
    return Order(**texts, inputs=inputs, envs=envs, overwrite_cache=found.get("overwriteCache", False))


def find_entity(client: FlyteRemote, order: Order) -> RemoteEntity:
    """Return the launch plan or task that an order names.

    :raises flyte_core.errors.InvalidInput: if it names none, or both
    """
    if bool(order.workflow) == bool(order.task):
        raise InvalidInput("name either a workflow (its launch plan) or a task to run")
    if order.task:
        return client.fetch_task(name=order.task, version=order.version or None)
    return client.fetch_launch_plan(name=order.workflow, version=order.version or None)


def values(order: Order, entity: RemoteEntity) -> dict[str, Any]:
    """Return the inputs as values of the types that the entity takes.

    :raises flyte_core.errors.InvalidInput: naming the input that is unknown or does not fit
    """
    types = entity.python_interface.inputs
    result = {}
    for name, data in order.inputs.items():
        if name not in types:
            known = ", ".join(sorted(types)) or "none"
            raise InvalidInput(f"{entity.name} has no input {name}; there are: {known}", field=f"inputs.{name}")
        try:
            result[name] = value_of_document(data, types[name])
        except InvalidInput as error:
            raise InvalidInput(f"input {name}: {error}", field=f"inputs.{name}") from error
    return result


def start(client: FlyteRemote, order: Order, entity: RemoteEntity, name: str | None) -> FlyteWorkflowExecution:
    """Start what is asked for.

    :param name: of the execution; one is made up without it
    """
    return client.execute(
        entity,
        values(order, entity),
        project=order.project or None,
        domain=order.domain or None,
        execution_name=name,
        options=Options(security_context=order.security()),
        overwrite_cache=order.overwrite_cache or None,
        envs=order.envs,
        cluster_pool=order.cluster_pool or None,
        execution_cluster_label=order.cluster_label or None,
    )
