"""What a task's template, its node, its execution and the configuration make of a pod."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import KeyValuePair
from flyteidl.core.security_pb2 import Identity, SecurityContext
from flyteidl.core.tasks_pb2 import (
    Container,
    ContainerPort,
    DataLoadingConfig,
    ExtendedResources,
    GPUAccelerator,
    K8sObjectMetadata,
    K8sPod,
    Resources,
    SharedMemory,
    TaskMetadata,
    TaskTemplate,
)
from flyteidl.core.types_pb2 import LiteralType, SimpleType
from google.protobuf.struct_pb2 import Struct

from flyte_core.errors import InvalidInput
from flyte_core.task_types import PlatformResources

from .conftest import build, context, only_container

ENTRY = Resources.ResourceEntry


def container_task(**fields: Any) -> TaskTemplate:
    return TaskTemplate(type="container", container=Container(**{"image": "image", **fields}))


def struct(values: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(values)
    return made


def pod_task(spec: dict[str, Any], primary: str = "main", **fields: Any) -> TaskTemplate:
    pod = K8sPod(pod_spec=struct(spec), metadata=K8sObjectMetadata(labels={"l": "1"}, annotations={"a": "2"}))
    return TaskTemplate(
        type="python-task", k8s_pod=pod, config={"primary_container_name": primary} if primary else {}, **fields
    )


def outputs(**kinds: LiteralType) -> TypedInterface:
    variables = {name: Variable(type=kind) for name, kind in kinds.items()}
    return TypedInterface(outputs=VariableMap(variables=variables))


def resources(**given: dict[int, str]) -> Resources:
    return Resources(
        **{key: [ENTRY(name=name, value=value) for name, value in values.items()] for key, values in given.items()}
    )


# -- containers


def test_a_raw_container_has_no_primary_annotation() -> None:
    template = container_task()
    template.type = "raw-container"
    assert "primary_container_name" not in build(context(template))["metadata"]["annotations"]
    assert build(context())["metadata"]["annotations"]["primary_container_name"] == "ex-n0-0"


def test_a_name_that_is_no_dns_label_is_not_the_containers() -> None:
    assert only_container(build(context()))["name"] == "ex-n0-0"
    assert only_container(build(replace(context(), generated_name="a.b")))["name"] == "primary"


def test_ports_and_command_are_taken_over() -> None:
    template = container_task(command=["sh", "-c", "cat {{.input}}"], ports=[ContainerPort(container_port=80)])
    container = only_container(build(context(template)))
    assert container["command"] == ["sh", "-c", "cat s3://b/n0/data/inputs.pb"]
    assert container["ports"] == [{"containerPort": 80}]
    assert "args" not in container


def test_the_nodes_image_beats_the_tasks() -> None:
    assert only_container(build(context(container_image="other")))["image"] == "other"


def test_environment_is_in_upstreams_order_and_the_configuration_speaks_last() -> None:
    template = container_task(env=[KeyValuePair(key="OWN", value="1")])
    template.config["link_type"] = "vscode"
    ctx = context(template, env={"GIVEN": "2"}, console_url="http://c/console/")
    env = only_container(build(ctx, default_env_vars=[{"LAST": "3"}]))["env"]
    assert [item["name"] for item in env] == [
        "OWN",
        "FLYTE_INTERNAL_EXECUTION_WORKFLOW",
        "FLYTE_INTERNAL_EXECUTION_ID",
        "FLYTE_INTERNAL_EXECUTION_PROJECT",
        "FLYTE_INTERNAL_EXECUTION_DOMAIN",
        "FLYTE_ATTEMPT_NUMBER",
        "FLYTE_EXECUTION_URL",
        "FLYTE_INTERNAL_TASK_PROJECT",
        "FLYTE_INTERNAL_TASK_DOMAIN",
        "FLYTE_INTERNAL_TASK_NAME",
        "FLYTE_INTERNAL_TASK_VERSION",
        "GIVEN",
        "LAST",
    ]
    [url] = [item["value"] for item in env if item["name"] == "FLYTE_EXECUTION_URL"]
    assert url == "http://c/console/projects/p/domains/d/executions/ex/nodeId/n0/nodes"


def test_environment_comes_from_this_process_and_from_the_cluster_where_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POD_TEST_HERE", "there")
    container = only_container(
        build(
            context(),
            default_env_vars_from_env={"X": "POD_TEST_HERE"},
            default_env_from_configmaps=["c"],
            default_env_from_secrets=["s"],
        )
    )
    assert container["env"][-1] == {"name": "X", "value": "there"}
    assert container["envFrom"] == [
        {"configMapRef": {"name": "c", "optional": True}},
        {"secretRef": {"name": "s", "optional": True}},
    ]


def test_the_service_account_is_the_tasks_or_the_executions() -> None:
    assert "serviceAccountName" not in build(context())["spec"]
    security = SecurityContext(run_as=Identity(k8s_service_account="execution"))
    assert build(context(security=security))["spec"]["serviceAccountName"] == "execution"
    template = container_task()
    template.security_context.run_as.k8s_service_account = "task"
    assert build(context(template, security=security))["spec"]["serviceAccountName"] == "task"


@pytest.mark.parametrize(
    ("template", "field", "told"),
    [
        (TaskTemplate(type="container"), "target", "a container or a k8s_pod is needed"),
        (container_task(image=""), "container.image", "no image"),
        (
            TaskTemplate(
                type="raw-container",
                container=Container(image="i", data_config=DataLoadingConfig(enabled=True)),
                interface=outputs(x=LiteralType(collection_type=LiteralType(simple=SimpleType.INTEGER))),
            ),
            "interface.outputs.x",
            "output 'x' is a collection",
        ),
        (container_task(args=["{{.inputs.x}}"]), "container.args", "input 'x'"),
        (
            container_task(resources=resources(requests={Resources.CPU: "many"})),
            "resources",
            "cpu of ex-n0-0: 'many' is not a Kubernetes quantity",
        ),
        (
            pod_task({"containers": [{"name": "a"}]}, "b"),
            "primary_container_name",
            "'b' is not among the containers: a",
        ),
        (pod_task({"containers": "none"}), "k8s_pod.pod_spec.containers", "must be a list of containers"),
        (pod_task({"containers": [{"image": "x"}]}), "k8s_pod.pod_spec.containers", "with names"),
        (pod_task({}), "k8s_pod.pod_spec", "no pod spec"),
        (pod_task({"containers": [{"name": "main", "args": "x"}]}), "args", "must be a list of texts"),
        (pod_task({"containers": [{"name": "main", "resources": ["x"]}]}), "resources", "must be a mapping"),
    ],
)
def test_a_template_that_is_no_pod_is_refused_by_field(template: TaskTemplate, field: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build(context(template))
    assert caught.value.field == field
    assert told in str(caught.value)


def test_a_raw_container_without_inputs_and_outputs_needs_no_copilot() -> None:
    template = TaskTemplate(
        type="raw-container", container=Container(image="i", data_config=DataLoadingConfig(enabled=True))
    )
    pod = build(context(template))
    assert only_container(pod)["image"] == "i"
    assert "initContainers" not in pod["spec"]
    assert "volumeMounts" not in only_container(pod)


def copilot_task(**data: Any) -> TaskTemplate:
    interface = outputs(size=LiteralType(simple=SimpleType.INTEGER))
    interface.inputs.variables["x"].type.simple = SimpleType.STRING
    container = Container(image="i", args=["run"], data_config=DataLoadingConfig(enabled=True, **data))
    return TaskTemplate(type="raw-container", interface=interface, container=container)


def options(container: Any) -> dict[str, str]:
    words = container["args"][1:]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_inputs_are_downloaded_before_and_outputs_uploaded_after_the_container() -> None:
    data = {"input_path": "/in", "output_path": "/out", "format": DataLoadingConfig.YAML}
    spec = build(context(copilot_task(**data)))["spec"]
    uploader, downloader = spec["initContainers"]
    assert (uploader["name"], uploader["restartPolicy"]) == ("flyte-copilot-uploader", "Always")
    assert (downloader["name"], "restartPolicy" in downloader) == ("flyte-copilot-downloader", False)
    assert uploader["command"] == downloader["command"] == ["flyte-copilot"]
    assert (uploader["args"][0], downloader["args"][0]) == ("sidecar", "download")
    interface = copilot_task().interface
    assert TypedInterface.FromString(b64decode(options(uploader).pop("--interface"))) == interface
    assert {key: value for key, value in options(uploader).items() if key != "--interface"} == {
        "--timeout": "1h0m0s",
        "--to-raw-output": "s3://b/raw",
        "--to-output-prefix": "s3://b/n0/data/0",
        "--from-local-dir": "/out",
    }
    assert VariableMap.FromString(b64decode(options(downloader)["--input-interface"])) == interface.inputs
    assert {key: value for key, value in options(downloader).items() if key != "--input-interface"} == {
        "--from-remote": "s3://b/n0/data/inputs.pb",
        "--to-output-prefix": "s3://b/n0/data/0",
        "--to-local-dir": "/in",
        "--format": "YAML",
    }
    mounts = [{"name": "flyte-outputs", "mountPath": "/out"}, {"name": "flyte-inputs", "mountPath": "/in"}]
    assert [uploader["volumeMounts"], downloader["volumeMounts"]] == [[mounts[0]], [mounts[1]]]
    assert spec["containers"][0]["volumeMounts"] == mounts
    assert spec["volumes"] == [{"name": "flyte-outputs", "emptyDir": {}}, {"name": "flyte-inputs", "emptyDir": {}}]
    assert spec["terminationGracePeriodSeconds"] == 3600


def test_only_the_primary_container_of_a_pod_has_the_files() -> None:
    template = pod_task({"containers": [{"name": "main", "image": "i"}, {"name": "other", "image": "i"}]})
    template.interface.inputs.variables["x"].type.simple = SimpleType.STRING
    template.k8s_pod.data_config.enabled = True
    spec = build(context(template))["spec"]
    assert [item["name"] for item in spec["initContainers"]] == ["flyte-copilot-downloader"]
    main, other = spec["containers"]
    assert main["volumeMounts"] == [{"name": "flyte-inputs", "mountPath": "/var/flyte/inputs"}]
    assert "volumeMounts" not in other
    assert "terminationGracePeriodSeconds" not in spec


def test_the_configuration_says_what_downloads_and_uploads() -> None:
    given = {
        "image": "mine",
        "name-prefix": "p-",
        "default-input-path": "/i",
        "default-output-path": "/o",
        "input-vol-name": "iv",
        "output-vol-name": "ov",
        "cpu": "1",
        "memory": "1Gi",
        "timeout": "90s",
    }
    spec = build(context(copilot_task()), co_pilot=given)["spec"]
    uploader, downloader = spec["initContainers"]
    assert [uploader["name"], downloader["name"]] == ["p-uploader", "p-downloader"]
    assert uploader["image"] == "mine"
    assert uploader["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    assert uploader["volumeMounts"] == [{"name": "ov", "mountPath": "/o"}]
    assert downloader["volumeMounts"] == [{"name": "iv", "mountPath": "/i"}]
    assert options(uploader)["--timeout"] == "1m30s"
    assert spec["terminationGracePeriodSeconds"] == 90


# -- resources


@pytest.mark.parametrize(
    ("given", "overrides", "platform", "limits", "expected"),
    [
        pytest.param({}, {}, {}, {}, {}, id="nobody asks for anything"),
        pytest.param(
            {},
            {},
            {"cpu": "100m", "memory": "200Mi", "ephemeral-storage": "1Gi"},
            {},
            {"requests": {"cpu": "100m", "memory": "200Mi"}, "limits": {"cpu": "100m", "memory": "200Mi"}},
            id="CPU and memory have defaults, storage has none",
        ),
        pytest.param(
            {"requests": {Resources.CPU: "1"}},
            {},
            {"cpu": "100m"},
            {},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}},
            id="a limit defaults to the request",
        ),
        pytest.param(
            {"limits": {Resources.MEMORY: "1Gi"}},
            {},
            {"memory": "100Mi"},
            {},
            {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}},
            id="a request defaults to the limit",
        ),
        pytest.param(
            {"requests": {Resources.CPU: "8"}},
            {},
            {},
            {"cpu": "2000m"},
            {"requests": {"cpu": "2000m"}, "limits": {"cpu": "2000m"}},
            id="the platform's limit caps",
        ),
        pytest.param(
            {"requests": {Resources.CPU: "1", Resources.MEMORY: "1Gi"}},
            {"requests": {"cpu": "2"}, "limits": {"cpu": "3"}},
            {},
            {},
            {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "3", "memory": "1Gi"}},
            id="the node's override beats the task",
        ),
        pytest.param(
            {"requests": {Resources.CPU: "3"}, "limits": {Resources.CPU: "1"}},
            {},
            {},
            {},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}},
            id="a request above its limit is lowered",
        ),
        pytest.param(
            {"requests": {Resources.CPU: "0"}},
            {},
            {"cpu": "1"},
            {},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}},
            id="zero asks for nothing",
        ),
        pytest.param(
            {"requests": {Resources.GPU: "4"}},
            {},
            {},
            {"nvidia.com/gpu": "2"},
            {"requests": {"amd.com/gpu": "2"}, "limits": {"amd.com/gpu": "2"}},
            id="a GPU has its configured name",
        ),
    ],
)
def test_resources(
    given: dict[str, dict[int, str]],
    overrides: dict[str, Any],
    platform: dict[str, str],
    limits: dict[str, str],
    expected: dict[str, Any],
) -> None:
    ctx = context(
        container_task(resources=resources(**given)),
        overrides=overrides,
        platform_resources=PlatformResources(platform, limits),
    )
    assert only_container(build(ctx, gpu_resource_name="amd.com/gpu"))["resources"] == expected


def test_the_configurations_defaults_are_below_the_executions() -> None:
    config: dict[str, Any] = {"default_cpus": "1", "default_memory": "1Gi"}
    ctx = context(platform_resources=PlatformResources({"cpu": "100m"}, {}))
    assert only_container(build(ctx, **config))["resources"]["requests"] == {"cpu": "100m", "memory": "1Gi"}


# -- pods of the user


def test_a_users_pod_keeps_its_containers_and_gets_environment_in_each() -> None:
    spec = {
        "containers": [
            {"name": "main", "args": ["{{.input}}"], "env": [{"name": "A", "value": "1"}]},
            {"name": "side", "image": "s", "resources": {"requests": {"cpu": "9", "x/y": "1"}}},
        ],
        "initContainers": [{"name": "init", "image": "i", "args": ["{{.outputPrefix}}"]}],
        "restartPolicy": "OnFailure",
        "activeDeadlineSeconds": 60,
    }
    platform = PlatformResources({"cpu": "1", "memory": "1Gi"}, {"cpu": "2"})
    pod = build(context(pod_task(spec), container_image="override", platform_resources=platform))
    main, side = pod["spec"]["containers"]
    [init] = pod["spec"]["initContainers"]
    assert main["args"] == ["s3://b/n0/data/inputs.pb"]
    assert init["args"] == ["s3://b/n0/data/0"]
    assert main["image"] == "override"
    assert side["image"] == "s"
    for container in (main, side, init):
        assert {"name": "FLYTE_INTERNAL_EXECUTION_ID", "value": "ex"} in container["env"]
    assert main["env"][0] == {"name": "A", "value": "1"}
    assert main["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert side["resources"] == {"requests": {"cpu": "2", "x/y": "1"}}
    assert main["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert pod["spec"]["restartPolicy"] == "OnFailure"
    assert pod["spec"]["activeDeadlineSeconds"] == 60
    assert isinstance(pod["spec"]["activeDeadlineSeconds"], int)
    assert pod["metadata"]["labels"] == {"l": "1"}
    assert pod["metadata"]["annotations"]["a"] == "2"
    assert pod["metadata"]["annotations"]["primary_container_name"] == "main"


def test_the_primary_container_may_be_named_in_the_pod() -> None:
    template = pod_task({"containers": [{"name": "x"}]}, "")
    template.k8s_pod.primary_container_name = "x"
    assert build(context(template))["metadata"]["annotations"]["primary_container_name"] == "x"


def test_older_sidecar_tasks_are_read() -> None:
    spec = {"containers": [{"name": "main", "image": "i"}]}
    first = TaskTemplate(
        type="sidecar",
        custom=struct(
            {"podSpec": spec, "primaryContainerName": "main", "labels": {"l": "1"}, "annotations": {"a": "2"}}
        ),
    )
    pod = build(context(first), "sidecar")
    assert pod["spec"]["containers"][0]["image"] == "i"
    assert pod["metadata"]["labels"] == {"l": "1"}
    second = TaskTemplate(
        type="sidecar", task_type_version=1, custom=struct(spec), config={"primary_container_name": "main"}
    )
    assert build(context(second), "sidecar")["spec"]["containers"][0]["image"] == "i"


# -- pod templates

TEMPLATES = {
    "mine": {
        "template": {
            "metadata": {"labels": {"from": "template", "l": "0"}},
            "spec": {
                "hostNetwork": True,
                "tolerations": [{"key": "t"}],
                "containers": [
                    {"name": "default", "env": [{"name": "D", "value": "1"}], "resources": {"requests": {"cpu": "7"}}},
                    {"name": "primary", "workingDir": "/work", "args": ["template's"]},
                    {"name": "proxy", "image": "proxy"},
                ],
            },
        }
    }
}


def test_a_named_pod_template_is_beneath_the_pod() -> None:
    template = pod_task(
        {
            "containers": [{"name": "main", "image": "m", "args": ["own"]}, {"name": "side"}],
            "tolerations": [{"key": "u"}],
        }
    )
    template.metadata.CopyFrom(TaskMetadata(pod_template_name="mine"))
    pod = build(context(template), pod_templates=TEMPLATES)
    main, side, proxy = pod["spec"]["containers"]
    assert (main["image"], main["workingDir"]) == ("m", "/work")
    assert main["args"] == ["own"], "a command line is one thing; other lists are joined"
    assert "workingDir" not in side
    assert main["env"][0] == side["env"][0] == {"name": "D", "value": "1"}
    assert main["resources"]["requests"] == {"cpu": "7"}
    assert proxy["image"] == "proxy"
    assert pod["spec"]["hostNetwork"] is True
    assert pod["spec"]["tolerations"] == [{"key": "t"}, {"key": "u"}]
    assert pod["metadata"]["labels"] == {"from": "template", "l": "1"}


def test_a_default_pod_template_serves_tasks_that_name_none() -> None:
    pod = build(context(), pod_templates=TEMPLATES, default_pod_template_name="mine")
    assert pod["spec"]["hostNetwork"] is True
    assert "hostNetwork" not in build(context(), pod_templates=TEMPLATES)["spec"]


def test_a_pod_template_that_is_not_there_is_named_with_those_that_are() -> None:
    template = container_task()
    template.metadata.pod_template_name = "other"
    with pytest.raises(InvalidInput, match=r"no pod template 'other'; plugins.pod.pod-templates has: mine"):
        build(context(template), pod_templates=TEMPLATES)


def test_the_nodes_pod_template_is_above_the_pod() -> None:
    override = {
        "metadata": {"labels": {"l": "9"}},
        "podSpec": {
            "nodeSelector": {"n": "1"},
            "containers": [{"name": "primary", "image": "above"}, {"name": "extra", "image": "e"}],
        },
    }
    template = pod_task({"containers": [{"name": "main", "image": "m"}]})
    pod = build(context(template, pod_template=override))
    main, extra = pod["spec"]["containers"]
    assert (main["name"], main["image"]) == ("main", "above")
    assert (extra["name"], extra["image"]) == ("extra", "e")
    assert pod["spec"]["nodeSelector"] == {"n": "1"}
    assert pod["metadata"]["labels"] == {"l": "9"}


# -- placement


def test_interruptible_attempts_are_placed_apart() -> None:
    config: dict[str, Any] = {
        "interruptible_tolerations": [{"key": "spot"}],
        "interruptible_node_selector": {"spot": "yes"},
        "interruptible_node_selector_requirement": {"key": "spot", "operator": "Exists"},
        "non_interruptible_node_selector_requirement": {"key": "spot", "operator": "DoesNotExist"},
    }

    def terms(pod: Any) -> Any:
        required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        return required["nodeSelectorTerms"]

    spot, steady = build(context(interruptible=True), **config), build(context(), **config)
    assert spot["spec"]["tolerations"] == [{"key": "spot"}]
    assert spot["spec"]["nodeSelector"] == {"spot": "yes"}
    assert terms(spot) == [{"matchExpressions": [{"key": "spot", "operator": "Exists"}]}]
    assert terms(steady) == [{"matchExpressions": [{"key": "spot", "operator": "DoesNotExist"}]}]
    assert "tolerations" not in steady["spec"]


def test_configured_labels_annotations_selectors_and_tolerations_are_on_every_pod() -> None:
    pod = build(
        context(container_task(resources=resources(requests={Resources.GPU: "1"}))),
        default_labels={"x": "1"},
        default_annotations={"y": "2"},
        default_node_selector={"z": "3"},
        default_tolerations=[{"key": "d"}],
        resource_tolerations={"nvidia.com/gpu": [{"key": "gpu"}], "other": [{"key": "o"}]},
        image_pull_policy="Always",
    )
    assert pod["metadata"]["labels"] == {"x": "1"}
    assert pod["metadata"]["annotations"] == {"y": "2", "primary_container_name": "ex-n0-0"}
    assert pod["spec"]["nodeSelector"] == {"z": "3"}
    assert pod["spec"]["tolerations"] == [{"key": "gpu"}, {"key": "d"}]
    assert only_container(pod)["imagePullPolicy"] == "Always"


@pytest.mark.parametrize(
    ("accelerator", "requirements", "tolerated"),
    [
        (GPUAccelerator(device="a100"), [("device", "In", ["a100"])], ["a100"]),
        (
            GPUAccelerator(device="a100", unpartitioned=True),
            [("device", "In", ["a100"]), ("size", "DoesNotExist", None)],
            ["a100"],
        ),
        (
            GPUAccelerator(device="a100", partition_size="1g.5gb"),
            [("device", "In", ["a100"]), ("size", "In", ["1g.5gb"])],
            ["a100", "1g.5gb"],
        ),
    ],
)
def test_an_accelerator_chooses_the_node(
    accelerator: GPUAccelerator, requirements: list[tuple[str, str, list[str] | None]], tolerated: list[str]
) -> None:
    template = container_task(resources=resources(requests={Resources.GPU: "1"}))
    template.extended_resources.gpu_accelerator.CopyFrom(accelerator)
    pod = build(context(template), gpu_device_node_label="device", gpu_partition_size_node_label="size")
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    [term] = required["nodeSelectorTerms"]
    assert [(item["key"], item["operator"], item.get("values")) for item in term["matchExpressions"]] == requirements
    assert [toleration["value"] for toleration in pod["spec"]["tolerations"]] == tolerated


def test_an_accelerator_without_a_gpu_chooses_nothing() -> None:
    template = container_task()
    template.extended_resources.gpu_accelerator.device = "a100"
    assert "affinity" not in build(context(template))["spec"]


def test_shared_memory_of_the_node_beats_that_of_the_task() -> None:
    template = container_task()
    template.extended_resources.shared_memory.size_limit = "1Gi"
    shared = ExtendedResources(shared_memory=SharedMemory(mount_name="m", mount_path="/m", size_limit="2Gi"))
    pod = build(context(template))
    assert pod["spec"]["volumes"] == [
        {"name": "flyte-shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}
    ]
    assert only_container(pod)["volumeMounts"] == [{"name": "flyte-shared-memory", "mountPath": "/dev/shm"}]
    pod = build(context(template, extended_resources=shared.SerializeToString()))
    assert only_container(pod)["volumeMounts"] == [{"name": "m", "mountPath": "/m"}]


def test_what_is_given_is_not_changed() -> None:
    override = {"podSpec": {"containers": [{"name": "primary", "env": [{"name": "A", "value": "1"}]}]}}
    before = repr(override)
    ctx = context(pod_task({"containers": [{"name": "main", "env": []}]}), pod_template=override)
    template = ctx.template.SerializeToString(deterministic=True)
    assert build(ctx) == build(ctx)
    assert repr(override) == before
    assert ctx.template.SerializeToString(deterministic=True) == template
    assert ctx.template.id == Identifier(project="p", domain="d", name="m.t", version="v")
