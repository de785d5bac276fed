"""The suites for task types, one per shape."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    ResourceType,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_core import paths
from flyte_core.errors import InvalidInput
from flyte_core.phases import TaskPhase
from flyte_core.task_types import (
    InlineTaskType,
    PhaseInfo,
    RemoteJobTaskType,
    ResourceTaskType,
    TaskContext,
    TaskPaths,
)
from flyte_core.testing.conformance.findings import Findings

JOB_META_LIMIT = 10 * 1024
"""Most bytes that the platform keeps of a remote job."""
SHORTEST_NAME_LIMIT = 8
FAILURES = frozenset({TaskPhase.RETRYABLE_FAILURE, TaskPhase.PERMANENT_FAILURE})
_STATUSES: tuple[Any, ...] = (
    {},
    None,
    {"phase": "Unheard Of"},
    {"phase": None},
    {"phase": "", "conditions": [], "containerStatuses": []},
    {"conditions": None, "containerStatuses": None},
    {"unknown": {"nested": [1, "two", None]}},
)
"""What an API server may show of an object, soon after its creation or with a newer version of its operator."""


def sample_context(template: TaskTemplate, **changes: Any) -> TaskContext:
    """Return the context of a first attempt of a task, at plausible places.

    :param changes: fields of :class:`flyte_core.task_types.TaskContext` to be set otherwise
    """
    execution = WorkflowExecutionIdentifier(project="p", domain="d", name="exec")
    node = NodeExecutionIdentifier(node_id="n0", execution_id=execution)
    node_paths = paths.NodePaths.top("s3://flyte/metadata/p-d-exec", "n0")
    raw_output = paths.raw_output_dir("s3://flyte/data", "exec-n0-0")
    owner = {"apiVersion": "flyte.lyft.com/v1alpha1", "kind": "FlyteWorkflow", "name": "exec", "uid": "uid-1"}
    context = TaskContext(
        id=TaskExecutionIdentifier(task_id=template.id, node_execution_id=node, retry_attempt=0),
        template=template,
        generated_name="exec-n0-0",
        namespace="p-d",
        workflow_id="p:d:wf",
        paths=TaskPaths(node_paths.inputs, node_paths.output_dir(0), raw_output, paths.checkpoint_dir(raw_output)),
        owner=owner,
        labels={"execution-id": "exec"},
    )
    return replace(context, **changes)


def check_resource_task_type(task_type: ResourceTaskType, *templates: TaskTemplate) -> None:
    """Check a task type whose work is an object in the cluster.

    ``build`` and ``observe`` must be pure and deterministic, the manifest must be JSON of the kind stated, and
    ``observe`` must have an answer for whatever the cluster shows.

    :param templates: one complete template at least, of a type served
    :raises Nonconforming: with all findings
    """
    findings = Findings(task_type)
    _check_attributes(findings, task_type)
    for template in templates:
        context = sample_context(template)
        with findings.attempt(f"build of {template.type!r}"):
            manifest = _pure(findings, "build", partial(task_type.build, context), context)
            _check_manifest(findings, task_type, context, manifest)
            _check_observe(findings, task_type, context, manifest)
    for name in task_type.task_types:
        empty = TaskTemplate(id=Identifier(resource_type=ResourceType.TASK, name="empty"), type=name)
        with findings.attempt(f"build of an empty {name!r} template", InvalidInput):
            task_type.build(sample_context(empty))
    findings.expect(that=bool(templates), otherwise="no template was given to build")
    findings.close()


def _check_attributes(findings: Findings, task_type: ResourceTaskType | RemoteJobTaskType | InlineTaskType) -> None:
    findings.expect(that=bool(task_type.plugin_id), otherwise="plugin_id is empty")
    findings.expect(that=bool(task_type.task_types), otherwise="task_types is empty")
    few = task_type.name_limit < SHORTEST_NAME_LIMIT
    findings.expect(that=not few, otherwise=f"name_limit {task_type.name_limit} is below {SHORTEST_NAME_LIMIT}")


def _pure(findings: Findings, what: str, call: Callable[[], Any], *given: object) -> Any:
    """Call twice and compare; what is given must be the same afterwards."""
    before = copy.deepcopy(given)
    first, second = call(), call()
    findings.expect(that=first == second, otherwise=f"{what} gives different results for the same arguments")
    findings.expect(that=given == before, otherwise=f"{what} changes its arguments")
    return first


def _check_manifest(
    findings: Findings, task_type: ResourceTaskType, context: TaskContext, manifest: Mapping[str, Any]
) -> None:
    found = (manifest.get("apiVersion"), manifest.get("kind"))
    wanted = (task_type.kind.api_version, task_type.kind.kind)
    findings.expect(that=found == wanted, otherwise=f"build returns a {found}, but kind is {wanted}")
    with findings.attempt("the manifest is not JSON: json.dumps", ValueError):
        findings.expect(that=json.loads(json.dumps(manifest)) == manifest, otherwise="the manifest is not plain JSON")
    name = (manifest.get("metadata") or {}).get("name", context.generated_name)
    findings.expect(that=name == context.generated_name, otherwise=f"build names the object {name!r} itself")


def _check_observe(
    findings: Findings, task_type: ResourceTaskType, context: TaskContext, manifest: Mapping[str, Any]
) -> None:
    metadata = {**(manifest.get("metadata") or {}), "name": context.generated_name, "uid": "uid-2"}
    created = {**manifest, "metadata": {**metadata, "creationTimestamp": "2024-01-01T00:00:00Z"}}
    ending = {**created, "metadata": {**metadata, "deletionTimestamp": "2024-01-01T00:00:00Z"}}
    bare = {"apiVersion": manifest.get("apiVersion"), "kind": manifest.get("kind"), "metadata": metadata}
    shown = [created, ending, bare, *({**created, "status": status} for status in _STATUSES)]
    for resource in shown:
        what = f"observe with status {resource.get('status', 'missing')!r}"
        with findings.attempt(what):
            info = _pure(findings, what, partial(task_type.observe, context, resource), context, resource)
            _check_phase(findings, what, info)


def _check_phase(findings: Findings, what: str, info: object) -> None:
    if not isinstance(info, PhaseInfo):
        findings.expect(that=False, otherwise=f"{what} returns {type(info).__name__}, not PhaseInfo")
        return
    findings.expect(that=info.phase is not TaskPhase.UNDEFINED, otherwise=f"{what} returns UNDEFINED")
    agrees = (info.error is not None) == (info.phase in FAILURES)
    findings.expect(that=agrees, otherwise=f"{what}: an error is set if and only if the phase is a failure")


async def check_remote_job_task_type(task_type: RemoteJobTaskType, template: TaskTemplate) -> None:
    """Check a task type whose work is a job behind an API, against that API or a fake of it.

    Starting twice with one token must be one job, and a job must be gone for good once ``delete`` says so.

    :raises Nonconforming: with all findings
    """
    findings = Findings(task_type)
    _check_attributes(findings, task_type)
    context = sample_context(template)
    before = copy.deepcopy(context)
    with findings.attempt("the life of a job"):
        job = await task_type.create(context, token="token-1")
        again = await task_type.create(context, token="token-1")
        findings.expect(that=job == again, otherwise="create starts a second job for the same token")
        size = len(job.meta)
        findings.expect(that=size <= JOB_META_LIMIT, otherwise=f"meta has {size} bytes, above {JOB_META_LIMIT}")
        _check_phase(findings, "get", await task_type.get(context, job))
        gone = [await task_type.delete(context, job) for _ in range(20)]
        findings.expect(that=gone[-1], otherwise="delete does not come to say that the job is gone")
        findings.expect(
            that=gone == sorted(gone), otherwise="delete says that the job is gone, and later that it is not"
        )
        _check_phase(findings, "get after delete", await task_type.get(context, job))
    findings.expect(that=context == before, otherwise="the context is changed")
    findings.close()


async def check_inline_task_type(task_type: InlineTaskType, template: TaskTemplate, **changes: Any) -> None:
    """Check a task type whose work is over within one call: it may be repeated, and leaves the context alone.

    :param changes: fields of the context, as for :func:`sample_context`; the inputs, mostly
    :raises Nonconforming: with all findings
    """
    findings = Findings(task_type)
    _check_attributes(findings, task_type)
    context = sample_context(template, **changes)
    before = copy.deepcopy(context)
    with findings.attempt("run"):
        first, second = await task_type.run(context), await task_type.run(context)
        same = set(first.literals) == set(second.literals)
        findings.expect(that=same, otherwise="run gives other variables when it is repeated")
    findings.expect(that=context == before, otherwise="run changes the context")
    findings.close()
