"""The FlyteWorkflow of an execution is the one that upstream's control plane creates."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flyteidl.admin.common_pb2 import Annotations, Envs, Labels, RawOutputDataConfig
from flyteidl.admin.execution_pb2 import ExecutionSpec
from flyteidl.core.compiler_pb2 import CompiledTask, CompiledWorkflow, CompiledWorkflowClosure
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import KeyValuePair, LiteralMap, RetryStrategy
from flyteidl.core.security_pb2 import Identity, Secret, SecurityContext
from flyteidl.core.tasks_pb2 import Container, K8sPod, Resources, TaskMetadata, TaskTemplate
from flyteidl.core.types_pb2 import LiteralType, SimpleType
from flyteidl.core.workflow_pb2 import Alias, Node, NodeMetadata, TaskNode, TaskNodeOverrides, WorkflowTemplate
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import Parse, ParseDict
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import BoolValue

from flyte_core.errors import InvalidInput
from flyte_core.flyteworkflow import (
    LaunchFacts,
    PluginOverride,
    build_flyte_workflow,
    closure_parts,
    offload_closure,
    offload_inputs,
    restore_closure,
)
from flyte_core.flyteworkflow.encodings import go_duration
from flyte_core.quantities import canonical
from flyte_core.task_types import PlatformResources

DATA = Path(__file__).parent / "data" / "golden_wf"
GOLDEN = {path.stem: {"child_of_parent_lp": "sub"}.get(path.stem, path.stem) for path in (DATA / "crd").glob("*.json")}
PLATFORM = PlatformResources(
    {"cpu": "100m", "memory": "200Mi", "ephemeral-storage": "100M"},
    {"cpu": "2", "memory": "1Gi", "ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"},
)


def with_opaque_keys(manifest):
    """Upstream's spacing in the keys of tasks and sub-workflows differs from build to build."""
    return json.loads(re.sub(r"(resource_type:[A-Z]+|\\\") +", r"\1 ", json.dumps(manifest)))


def facts_of(manifest):
    ids = manifest["executionId"]
    labels = {k: v for k, v in manifest["metadata"]["labels"].items() if k != "shard-key"}
    return LaunchFacts(
        execution_id=WorkflowExecutionIdentifier(**ids),
        namespace=manifest["metadata"]["namespace"],
        inputs=ParseDict(manifest["inputs"], LiteralMap()),
        spec=ExecutionSpec(
            max_parallelism=25,
            security_context=SecurityContext(run_as=Identity()),
            labels=Labels(values=labels if labels["execution-id"] != ids["name"] else {}),
        ),
        accepted_at=datetime.fromisoformat(manifest["acceptedAt"]),
        platform_resources=PLATFORM,
    )


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_manifest_is_upstreams(name):
    expected = json.loads((DATA / "crd" / f"{name}.json").read_text())
    closure = Parse((DATA / "compiled" / f"{GOLDEN[name]}.json").read_text(), CompiledWorkflowClosure())
    built = json.loads(json.dumps(build_flyte_workflow(closure, facts_of(expected))))
    assert with_opaque_keys(built) == with_opaque_keys(expected)


TASK_ID = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="t", version="v")


def closure_of(node, task=None):
    template = WorkflowTemplate(id=Identifier(project="p", domain="d", name="w.f"), nodes=[node])
    tasks = [CompiledTask(template=task)] if task else []
    return CompiledWorkflowClosure(primary=CompiledWorkflow(template=template), tasks=tasks)


def task_node(metadata=None, overrides=None):
    return Node(id="n0", metadata=metadata, task_node=TaskNode(reference_id=TASK_ID, overrides=overrides))


def node_of(node, task=None):
    return closure_parts(closure_of(node, task)).spec["nodes"]["n0"]


def test_retries_of_the_task_count_where_the_node_states_none():
    task = TaskTemplate(id=TASK_ID, metadata=TaskMetadata(retries=RetryStrategy(retries=4)))
    assert node_of(task_node(), task)["retry"] == {"minAttempts": 5}
    metadata = NodeMetadata(retries=RetryStrategy(retries=0))
    assert "retry" not in node_of(task_node(metadata), task)


def test_interfaces_are_written_without_what_only_people_and_clients_read():
    metadata = ParseDict({"title": "T"}, Struct())
    annotated = LiteralType(simple=SimpleType.STRUCT, metadata=metadata)
    annotated.annotation.annotations.update({"cache-key-metadata": {"k": "v"}})
    plain = LiteralType(simple=SimpleType.STRUCT, metadata=metadata)
    plain.annotation.annotations.update({"other": "x"})
    listed = Variable(type=LiteralType(collection_type=plain), description="d")
    variables = VariableMap(variables={"a": Variable(type=annotated), "xs": listed})
    task = TaskTemplate(id=TASK_ID, interface=TypedInterface(inputs=variables))
    written = next(iter(closure_parts(closure_of(task_node(), task)).tasks.values()))
    assert written["interface"]["inputs"]["variables"] == {
        "a": {"type": {"simple": "STRUCT", "annotation": {"annotations": {"cache-key-metadata": {"k": "v"}}}}},
        "xs": {"type": {"collectionType": {"simple": "STRUCT"}}},
    }


def test_overrides_are_written_in_kubernetes_terms():
    overrides = TaskNodeOverrides(
        resources=Resources(
            requests=[Resources.ResourceEntry(name=Resources.GPU, value="1")],
            limits=[Resources.ResourceEntry(name=Resources.EPHEMERAL_STORAGE, value="1Gi")],
        ),
        container_image="img:2",
        pod_template=K8sPod(primary_container_name="main", pod_spec=ParseDict({"containers": []}, Struct())),
    )
    spec = node_of(task_node(NodeMetadata(interruptible=True), overrides))
    assert spec["resources"] == {"requests": {"nvidia.com/gpu": "1"}, "limits": {"ephemeral-storage": "1Gi"}}
    assert spec["containerImage"] == "img:2"
    assert spec["podTemplate"] == {"primary_container_name": "main", "pod_spec": {"containers": []}}
    assert spec["interruptible"] is True


def test_aliases_and_deadlines():
    node = task_node(NodeMetadata(timeout=Duration(seconds=90)))
    node.output_aliases.append(Alias(var="o0", alias="result"))
    spec = node_of(node)
    assert spec["outputAlias"] == [{"var": "o0", "alias": "result"}]
    assert (spec["executionDeadline"], spec["activeDeadline"]) == ("1m30s", "3m0s")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0s"), (1, "1ms"), (1500, "1.5s"), (61_000, "1m1s"), (3_600_000, "1h0m0s"), (90_061_500, "25h1m1.5s")],
)
def test_durations_are_go_s(milliseconds, text):
    duration = Duration()
    duration.FromMilliseconds(milliseconds)
    assert go_duration(duration) == text


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("2000M", "2G"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1e3", "1e3"),
        ("0Gi", "0"),
        ("100M", "100M"),
    ],
)
def test_quantities_are_printed_as_kubernetes_does(given, printed):
    assert canonical(given) == printed


def test_a_malformed_quantity_is_named():
    with pytest.raises(InvalidInput, match="12 potatoes"):
        canonical("12 potatoes")


def resources(**given):
    names = {"cpu": Resources.CPU, "memory": Resources.MEMORY, "gpu": Resources.GPU}
    return [Resources.ResourceEntry(name=names[name], value=value) for name, value in given.items()]


def test_containers_get_the_platforms_resources_within_its_limits():
    asked = Resources(requests=resources(cpu="3"), limits=resources(memory="300Mi", gpu="1"))
    task = TaskTemplate(id=TASK_ID, container=Container(image="i", resources=asked))
    original = closure_of(task_node(), task)
    before = original.SerializeToString(deterministic=True)
    container = next(iter(closure_parts(original, PLATFORM).tasks.values()))["container"]
    by_name = {side: {e["name"]: e["value"] for e in container["resources"][side]} for side in ("requests", "limits")}
    assert by_name == {
        "requests": {"CPU": "2", "MEMORY": "300Mi", "EPHEMERAL_STORAGE": "100M", "GPU": "1"},
        "limits": {"CPU": "2", "MEMORY": "300Mi", "EPHEMERAL_STORAGE": "100M", "GPU": "1"},
    }
    assert original.SerializeToString(deterministic=True) == before


def full_facts(**changes):
    given = {
        "execution_id": WorkflowExecutionIdentifier(project="p", domain="d", name="e"),
        "namespace": "p-d",
        "inputs": LiteralMap(),
        "spec": ExecutionSpec(
            labels=Labels(values={"team": "x", "shard-key": "mine"}),
            annotations=Annotations(values={"a": "b"}),
            interruptible=BoolValue(value=False),
            overwrite_cache=True,
            max_parallelism=7,
            envs=Envs(values=[KeyValuePair(key="K", value="V")]),
            raw_output_data_config=RawOutputDataConfig(output_location_prefix="s3://raw"),
            security_context=SecurityContext(
                run_as=Identity(k8s_service_account="robot"),
                secrets=[Secret(group="g", key="k", mount_requirement=Secret.MountType.FILE)],
            ),
        ),
        "accepted_at": datetime(2024, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
    }
    return LaunchFacts(**(given | changes))


def test_the_execution_s_settings_reach_the_manifest():
    recovered = WorkflowExecutionIdentifier(project="p", domain="d", name="old")
    facts = full_facts(recovery=recovered, plugins={"spark": PluginOverride(["my-spark"])}, console_url="http://c")
    manifest = build_flyte_workflow(closure_of(task_node()), facts)
    assert manifest["metadata"]["labels"] == {
        "execution-id": "e",
        "project": "p",
        "domain": "d",
        "workflow-name": "w-f",
        "shard-key": "mine",
        "team": "x",
    }
    assert manifest["metadata"]["annotations"] == {"a": "b"}
    assert manifest["securityContext"] == {
        "run_as": {"k8s_service_account": "robot"},
        "secrets": [{"group": "g", "key": "k", "mount_requirement": 2}],
    }
    assert manifest["serviceAccountName"] == "robot"
    assert manifest["rawOutputDataConfig"] == {"output_location_prefix": "s3://raw"}
    assert manifest["consoleUrl"] == "http://c"
    assert manifest["acceptedAt"] == "2024-01-02T03:04:05Z"
    config = manifest["executionConfig"]
    assert config.pop("TaskResources")["Limits"]["CPU"] == "0"
    assert config == {
        "TaskPluginImpls": {"spark": {"PluginIDs": ["my-spark"], "MissingPluginBehavior": 0}},
        "MaxParallelism": 7,
        "RecoveryExecution": {"project": "p", "domain": "d", "name": "old"},
        "Interruptible": False,
        "OverwriteCache": True,
        "EnvironmentVariables": {"K": "V"},
    }


def test_an_offloaded_closure_comes_back():
    closure = Parse((DATA / "compiled" / "parent_sub.json").read_text(), CompiledWorkflowClosure())
    manifest = build_flyte_workflow(closure, full_facts())
    offloaded = offload_inputs(offload_closure(manifest, "s3://c"), "s3://i")
    assert (offloaded["spec"], offloaded["tasks"], offloaded["inputs"]) == (None, None, None)
    assert "subWorkflows" not in offloaded
    assert (offloaded["workflowClosureReference"], offloaded["offloadedInputs"]) == ("s3://c", "s3://i")
    restored = restore_closure(offloaded, closure_parts(closure, PlatformResources()))
    assert {key: restored[key] for key in ("spec", "tasks", "subWorkflows")} == {
        key: manifest[key] for key in ("spec", "tasks", "subWorkflows")
    }
