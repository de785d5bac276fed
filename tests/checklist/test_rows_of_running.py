"""What happens while a task runs: attempts, time, context, checkpoints, decks, eager children."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flyteidl.event.event_pb2 import TaskExecutionMetadata  # type: ignore[attr-defined]
from flyteidl.service.dataproxy_pb2 import ARTIFACT_TYPE_DECK, CreateDownloadLinkRequest

from flyte_kit import Annotations, Labels, Options, PodTemplate, Resources, task
from flyte_kit.extras.accelerators import A100, T4
from serialized import pod_of, template_of


@pytest.fixture
def flows(program: Callable[[str], Any]) -> Any:
    return program("rows_of_workflows")


@pytest.fixture
def kinds(program: Callable[[str], Any]) -> Any:
    return program("rows_of_task_kinds")


def test_014_a_task_that_asks_for_another_attempt_gets_as_many_as_it_may(flows: Any, up: Any, tmp_path: Path) -> None:
    execution = up.run(flows.third_time, inputs={"path": str(tmp_path / "tries")})
    assert execution.outputs.get("o0") == 3
    [attempts] = [node.task_executions for node in execution.node_executions.values() if node.task_executions]
    assert [attempt.phase for attempt in attempts] == ["FAILED", "FAILED", "SUCCEEDED"]


def test_015_a_task_that_takes_too_long_is_ended(flows: Any, up: Any, nodes: Callable[[Any], dict[str, str]]) -> None:
    execution = up.run(flows.hurried, seconds=20)
    assert execution.phase == "FAILED"
    assert nodes(execution)["n0"] in ("TIMED_OUT", "FAILED")
    assert "timeout" in execution.error.message.lower() or "timed out" in execution.error.message.lower()


def test_024_a_task_knows_which_execution_it_is_part_of(flows: Any, up: Any) -> None:
    execution = up.run(flows.who_am_i, execution_name="row-24")
    assert [execution.outputs.get(f"o{index}") for index in range(3)] == [
        "row-24",
        "development",
        "rows_of_workflows.who_am_i",
    ]


INTERRUPTIBLE = {  # (workflow, what the execution says) → the three tasks that say yes, no, nothing
    ("plain_workflow", None): (True, False, False),
    ("interruptible_workflow", None): (True, False, True),
    ("interruptible_workflow", False): (False, False, False),
    ("plain_workflow", True): (True, True, True),
}


@pytest.mark.parametrize(("workflow", "asked"), INTERRUPTIBLE)
def test_027_whether_a_task_may_be_interrupted_is_said_by_execution_task_and_workflow_in_this_order(
    up: Any, program: Callable[[str], Any], workflow: str, asked: bool | None
) -> None:
    execution = up.run(getattr(program("rows_of_settings"), workflow), interruptible=asked)
    assert execution.is_successful, execution.error
    seen = tuple(
        attempt.closure.metadata.instance_class == TaskExecutionMetadata.INTERRUPTIBLE
        for name in ("n0", "n1", "n2")
        for attempt in execution.node_executions[name].task_executions
    )
    assert seen == INTERRUPTIBLE[workflow, asked]


def test_033_an_eager_task_a_starts_executions_that_carry_its_name(kinds: Any, up: Any) -> None:
    execution = up.run(kinds.twice, inputs={"x": 1})
    assert execution.is_successful, execution.error
    assert execution.outputs.get("o0") == 3
    filters = f"eq(execution_tag.key,eager-exec)+eq(execution_tag.value,{execution.name})"
    children = up.remote.recent_executions(filters=filters)
    assert len(children) == 2
    assert all(child.spec.labels.values["eager-exec"] == execution.name for child in children)


def test_033_an_eager_task_b_that_fails_leaves_no_execution_behind(kinds: Any, up: Any) -> None:
    as_workflow = kinds.leaves_an_orphan.get_as_workflow()
    execution = up.run(as_workflow, inputs={"x": 1})
    assert execution.phase == "FAILED"
    filters = f"eq(execution_tag.key,eager-exec)+eq(execution_tag.value,{execution.name})"
    found = up.remote.recent_executions(filters=filters)
    children = {child.spec.launch_plan.name.rsplit(".", 1)[-1]: child for child in found}
    assert up.remote.wait(children["slow"], timeout=5, sync_nodes=False).phase == "ABORTED"


def _pod_template() -> Any:
    from kubernetes.client import V1Container, V1PodSpec, V1Toleration

    spec = V1PodSpec(
        containers=[V1Container(name="main"), V1Container(name="side", image="side:1")],
        tolerations=[V1Toleration(key="spot")],
    )
    return PodTemplate(pod_spec=spec, primary_container_name="main", labels={"l": "1"})


def test_036_a_pod_template_goes_around_the_container_of_the_task() -> None:
    @task(pod_template=_pod_template(), environment={"A": "1"})
    def work(x: int) -> int:
        return x

    @task(pod_template_name="of-the-cluster")
    def by_name(x: int) -> int:
        return x

    assert template_of(by_name).metadata.pod_template_name == "of-the-cluster"
    template = template_of(work)
    assert template.config["primary_container_name"] == "main"
    pod = pod_of(template)
    containers = {container["name"]: container for container in pod["spec"]["containers"]}
    assert containers["side"]["image"] == "side:1"
    main = next(container for name, container in containers.items() if name != "side")
    assert main["args"][0] == "pyflyte-execute"
    assert {"name": "A", "value": "1"} in main["env"]
    assert any(each["key"] == "spot" for each in pod["spec"]["tolerations"])
    assert pod["metadata"]["labels"]["l"] == "1"


def test_037_accelerators_and_shared_memory_stand_in_the_template_and_in_the_pod() -> None:
    @task(limits=Resources(gpu="1"), accelerator=A100.partition_2g_10gb, shared_memory="2Gi")
    def work(x: int) -> int:
        return x

    extended = template_of(work).extended_resources
    assert extended.gpu_accelerator.device == A100.to_flyte_idl().device
    assert extended.gpu_accelerator.partition_size == "2g.10gb"
    assert (extended.shared_memory.mount_path, extended.shared_memory.size_limit) == ("/dev/shm", "2Gi")
    pod = pod_of(template_of(work))
    asked = str(pod["spec"]["affinity"])
    assert extended.gpu_accelerator.device in asked
    assert "2g.10gb" in asked
    assert any(volume.get("emptyDir", {}).get("medium") == "Memory" for volume in pod["spec"]["volumes"])
    assert T4.to_flyte_idl().device != A100.to_flyte_idl().device


def test_038_the_deck_of_a_task_is_a_page_behind_a_link(kinds: Any, up: Any) -> None:
    execution = up.run(kinds.with_deck, inputs={"x": 7})
    [node] = [node for node in execution.node_executions.values() if node.task_executions]
    request = CreateDownloadLinkRequest(artifact_type=ARTIFACT_TYPE_DECK, node_execution_id=node.id)
    answer = up.remote.client.call(up.remote.client.data_proxy.CreateDownloadLink, request)
    [link] = answer.pre_signed_urls.signed_url
    with urllib.request.urlopen(link) as page:
        assert "<b>page 7</b>" in page.read().decode()


def test_039_a_container_a_says_where_its_inputs_and_outputs_are_as_files(kinds: Any) -> None:
    template = template_of(kinds.counter)
    assert template.type == "raw-container"
    data = template.container.data_config
    assert (data.enabled, data.input_path, data.output_path) == (True, "/tmp/rows-inputs", "/tmp/rows-outputs")
    assert [*template_of(kinds.raw).container.command][-1] == "{{.inputs.path}}"


def test_039_a_container_b_gets_its_inputs_as_files_and_its_outputs_are_read(
    kinds: Any, up: Any, tmp_path: Path
) -> None:
    (tmp_path / "four").write_text("four")
    assert up.value(kinds.count, file=str(tmp_path / "four")) == 4


def test_040_the_file_that_a_shell_script_writes_is_uploaded(
    kinds: Any, up: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert kinds.loud(text="hey") == "HEY\n"
    assert up.value(kinds.loud, text="hey") == "HEY\n"


def test_044_labels_and_annotations_of_an_execution_are_kept_and_on_its_pods(kinds: Any, up: Any) -> None:
    options = Options(labels=Labels({"team": "rows"}), annotations=Annotations({"why": "checklist"}))
    execution = up.remote.execute(kinds.slow, inputs={"x": 1}, options=options)
    spec = up.remote.fetch_execution(name=execution.name).spec
    assert spec.labels.values["team"] == "rows"
    assert spec.annotations.values["why"] == "checklist"
    [pod] = up.pods(execution.name)
    assert pod["labels"]["team"] == "rows"
    assert pod["annotations"]["why"] == "checklist"
    up.remote.terminate(execution, "seen")


def test_045_the_next_attempt_reads_what_the_last_one_has_kept(flows: Any, up: Any) -> None:
    assert up.value(flows.remembering) == 20
