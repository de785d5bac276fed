"""The shared suite that every task type passes."""

from __future__ import annotations

import pytest
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.tasks_pb2 import Container, K8sPod, TaskTemplate
from google.protobuf.struct_pb2 import Struct

from flyte_core.testing.conformance import check_resource_task_type

from .conftest import task_type

ID = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="m.t", version="v")


def pod() -> K8sPod:
    spec = Struct()
    spec.update({"containers": [{"name": "main", "image": "i"}, {"name": "side", "image": "s"}]})
    return K8sPod(pod_spec=spec, primary_container_name="main")


@pytest.mark.parametrize(
    ("plugin_id", "templates"),
    [
        (
            "container",
            [
                TaskTemplate(id=ID, type=name, container=Container(image="i", args=["run", "{{.input}}"]))
                for name in ("container", "python-task", "raw-container")
            ],
        ),
        ("container", [TaskTemplate(id=ID, type="python-task", k8s_pod=pod())]),
        ("sidecar", [TaskTemplate(id=ID, type="sidecar", k8s_pod=pod())]),
    ],
)
def test_the_task_types_conform(plugin_id: str, templates: list[TaskTemplate]) -> None:
    check_resource_task_type(task_type(plugin_id), *templates)
