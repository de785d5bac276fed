"""Pods are those that upstream's propeller made for the same tasks.

``recorded/pods.json`` holds every pod of the recorded runs, without what the API server adds to any pod and without an
empty ``affinity``, which says nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, TaskExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.tasks_pb2 import TaskTemplate
from google.protobuf.json_format import ParseDict

from flyte_core.task_types import PlatformResources, TaskContext, TaskPaths

from .conftest import build

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded" / "pods.json").read_text())
STORE = {
    "FLYTE_AWS_ACCESS_KEY_ID": "minio",
    "FLYTE_AWS_SECRET_ACCESS_KEY": "miniostorage",
    "FLYTE_AWS_ENDPOINT": "http://127.0.0.1:21900",
}
KEYS = {"CPU": "cpu", "Memory": "memory", "EphemeralStorage": "ephemeral-storage"}


def recorded_context(case: dict[str, Any]) -> TaskContext:
    template = ParseDict(RECORDED["tasks"][case["task"]], TaskTemplate())
    metadata, platform = case["pod"]["metadata"], case["resources"]
    labels = metadata["labels"]
    # A child execution carries its parent's label ``execution-id``: labels are handed down.
    execution = WorkflowExecutionIdentifier(project=labels["project"], domain=labels["domain"], name=case["execution"])
    node = NodeExecutionIdentifier(node_id=labels["node-id"], execution_id=execution)
    return TaskContext(
        id=TaskExecutionIdentifier(task_id=template.id, node_execution_id=node),
        template=template,
        generated_name=metadata["name"],
        namespace=metadata["namespace"],
        workflow_id=case["workflow"],
        paths=TaskPaths(**case["paths"]),
        owner={},
        env=case["env"],
        platform_resources=PlatformResources(
            {KEYS[key]: value for key, value in platform["Requests"].items() if key in KEYS},
            {KEYS[key]: value for key, value in platform["Limits"].items() if key in KEYS},
        ),
    )


@pytest.mark.parametrize("name", sorted(RECORDED["pods"]))
def test_the_pod_is_upstreams(name: str) -> None:
    case = RECORDED["pods"][name]
    made = dict(build(recorded_context(case), default_env_vars=STORE))
    spec, recorded = dict(made["spec"]), dict(case["pod"]["spec"])
    [container], [recorded_container] = spec.pop("containers"), recorded.pop("containers")
    assert spec == recorded
    env, recorded_env = dict(container).pop("env"), recorded_container["env"]
    unordered = len(STORE) + len(case["env"])  # maps in upstream, in no order of their own
    assert env[:-unordered] == recorded_env[:-unordered]
    assert {v["name"]: v["value"] for v in env} == {v["name"]: v["value"] for v in recorded_env}
    assert {**container, "env": []} == {**recorded_container, "env": []}
    assert made["metadata"]["annotations"] == case["pod"]["metadata"]["annotations"]


def test_all_recorded_pods_are_compared() -> None:
    assert len(RECORDED["pods"]) == 26
