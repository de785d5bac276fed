"""Pods are those that upstream made for the same tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, TaskExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.tasks_pb2 import TaskTemplate
from google.protobuf.json_format import ParseDict

from flyte_core.hookspecs import PluginContext
from flyte_core.task_types import TaskContext, TaskPaths
from flyte_plugin_pod import PodTaskType, plugin

PODS = sorted((Path(__file__).parent / "data").glob("*.json"))
ENV = {
    "FLYTE_AWS_ACCESS_KEY_ID": "minio",
    "FLYTE_AWS_SECRET_ACCESS_KEY": "miniostorage",
    "FLYTE_AWS_ENDPOINT": "http://127.0.0.1:21900",
}


def context(case: dict[str, Any]) -> TaskContext:
    template = ParseDict(case["task"], TaskTemplate())
    pod = case["pod"]
    name = pod["metadata"]["name"]
    labels = pod["metadata"]["labels"]
    execution = WorkflowExecutionIdentifier(
        project=labels["project"], domain=labels["domain"], name=labels["execution-id"]
    )
    where = f"s3://flyte/metadata/propeller/golden-development-{execution.name}/{labels['node-id']}/data"
    raw = f"s3://flyte/data/{case['shard']}/{name}"
    return TaskContext(
        id=TaskExecutionIdentifier(
            task_id=template.id,
            node_execution_id=NodeExecutionIdentifier(node_id=labels["node-id"], execution_id=execution),
        ),
        template=template,
        generated_name=name,
        namespace=pod["metadata"]["namespace"],
        workflow_id=case["workflow"],
        paths=TaskPaths(f"{where}/inputs.pb", f"{where}/0", raw, f"{raw}/_flytecheckpoints"),
        owner={},
        env=ENV,
    )


@pytest.mark.parametrize("path", PODS, ids=lambda path: path.stem)
def test_the_pod_is_upstreams(path: Path) -> None:
    case = json.loads(path.read_text())
    [container, _] = plugin.flyte_task_types(PluginContext())
    assert isinstance(container, PodTaskType)
    built = dict(container.build(context(case)))
    wanted = case["pod"]
    [made], [recorded] = built["spec"]["containers"], wanted["spec"]["containers"]
    for key in ("name", "image", "args", "env", "resources", "terminationMessagePolicy"):
        assert made[key] == recorded[key], key
    assert built["spec"]["restartPolicy"] == wanted["spec"]["restartPolicy"]
    assert built["metadata"]["annotations"] == wanted["metadata"]["annotations"]
