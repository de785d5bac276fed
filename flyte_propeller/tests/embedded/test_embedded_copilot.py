"""Pods that want inputs and outputs as files: one process does what containers beside the task's do in a cluster."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest
from flyteidl.core.errors_pb2 import ErrorDocument
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.types_pb2 import SimpleType

from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder
from flyte_propeller.adapters.embedded.container import CannotStart, Machine, ready
from flyte_propeller.adapters.embedded.copilot import copilot_of
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable
from flyte_propeller.adapters.embedded.secrets import SecretSource
from flyte_propeller.adapters.embedded.warm import WarmParents

from .conftest import Pods, exit_code, manifest


class Task:
    """The pod of a task with a text ``x`` and a number ``n``; its store is a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "prefix"
        interface = TypedInterface()
        interface.inputs.variables["x"].type.simple = SimpleType.STRING
        interface.outputs.variables["n"].type.simple = SimpleType.INTEGER
        self.interface = base64.b64encode(interface.SerializeToString()).decode()
        inputs = LiteralMap()
        inputs.literals["x"].scalar.primitive.string_value = "four"
        (folder / "inputs.pb").write_bytes(inputs.SerializeToString())

    def pilots(self, inputs: str = "/var/inputs", outputs: str = "/var/outputs") -> list[dict[str, Any]]:
        download = ["--from-remote", str(self.folder / "inputs.pb"), "--to-local-dir", inputs, "--format", "JSON"]
        upload = ["--to-raw-output", str(self.folder / "raw"), "--from-local-dir", outputs]
        upload += ["--to-output-prefix", str(self.prefix), "--interface", self.interface]
        return [
            {"name": "u", "image": "c", "command": ["flyte-copilot"], "args": ["sidecar", *upload]},
            {"name": "d", "image": "c", "command": ["/bin/flyte-copilot"], "args": ["download", *download]},
        ]

    def outputs(self) -> LiteralMap:
        return LiteralMap.FromString((self.prefix / "outputs.pb").read_bytes())


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path)


async def test_a_command_finds_its_inputs_and_its_outputs_are_taken(pods: Pods, task: Task) -> None:
    pod = await pods.run("p", "sh", "-c", "wc -c < /var/inputs/x > /var/outputs/n", initContainers=task.pilots())
    assert pod["status"]["phase"] == "Succeeded", pods.log("p")
    assert task.outputs().literals["n"].scalar.primitive.integer == 4
    await pods.delete("p")
    await pods.no_folder_left()


async def test_the_folders_of_the_attempt_stand_in_command_arguments_and_environment(pods: Pods, task: Task) -> None:
    container = {
        "command": ["sh", "-c", 'echo "$0" "$1" "$IN" "$NEXT" "$HOME"; pwd; echo 1 > "$OUT"'],
        "env": [
            {"name": "IN", "value": "a=/var/inputs/x:/var/inputs"},
            {"name": "OUT", "value": "/var/outputs/n"},
            {"name": "NEXT", "value": "/var/inputs2 /x/var/inputs /var/inputs.d"},
        ],
    }
    pod = await pods.run("p", "-I/var/inputs", "--in=/var/inputs/x", container=container, initContainers=task.pilots())
    assert pod["status"]["phase"] == "Succeeded", pods.log("p")
    words, work = pods.log("p").splitlines()
    folder = str(Path(work).parent)
    inputs = f"{folder}/inputs"
    told = f"-I{inputs} --in={inputs}/x a={inputs}/x:{inputs} /var/inputs2 /x/var/inputs /var/inputs.d {folder}/work"
    assert words == told


async def test_a_path_below_another_one_has_its_own_folder(task: Task, tmp_path: Path) -> None:
    pod = manifest(
        "p", "cat", "/data/x", "/data/out/n", "/data/outer", initContainers=task.pilots("/data/", "/data/out")
    )
    found = copilot_of(pod, "main", AttemptFolder(Path("/a")))
    assert found is not None
    assert found.with_folders(pod["spec"]["containers"][0])["args"] == [
        "cat",
        "/a/inputs/x",
        "/a/outputs/n",
        "/a/inputs/outer",
    ]


async def test_an_output_that_is_missing_is_told_where_the_engine_looks_for_errors(pods: Pods, task: Task) -> None:
    pod = await pods.run("p", "true", initContainers=task.pilots())
    assert pod["status"]["phase"] == "Succeeded"
    error = ErrorDocument.FromString((task.prefix / "error.pb").read_bytes()).error
    assert (error.code, error.message.split(":")[0]) == ("OutputUploadFailed", "output 'n'")
    assert not (task.prefix / "outputs.pb").exists()


@pytest.mark.parametrize(("script", "code"), [("echo no; exit 3", 3), ("kill -KILL $$", 137)])
async def test_a_command_that_fails_ends_as_it_would_alone(pods: Pods, task: Task, script: str, code: int) -> None:
    pod = await pods.run("p", "sh", "-c", script, initContainers=task.pilots())
    assert (pod["status"]["phase"], exit_code(pod)) == ("Failed", code)
    assert not task.prefix.exists()


async def test_a_pod_that_is_deleted_lets_its_command_end_well(pods: Pods, task: Task, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f"trap 'echo told > {told}; exit 0' TERM; echo up; while :; do sleep .05; done"
    await pods.running("p", "sh", "-c", script, initContainers=task.pilots())
    await pods.logged("p")
    await pods.delete("p")
    assert told.read_text() == "told\n"
    assert not task.prefix.exists()


async def test_the_command_sees_its_own_environment_only(pods: Pods, task: Task) -> None:
    pilots = task.pilots()
    for pilot in pilots:
        pilot["env"] = [{"name": "OF_THE_PILOT", "value": "1"}]
    container = {"env": [{"name": "OWN", "value": "2"}]}
    script = "env | cut -d= -f1; echo 1 > /var/outputs/n"
    await pods.run("p", "sh", "-c", script, container=container, initContainers=pilots)
    names = pods.log("p").split()
    assert "OWN" in names
    assert not [name for name in names if "PILOT" in name]


async def test_only_the_primary_container_has_the_files(pods: Pods, task: Task) -> None:
    other = {"name": "other", "image": "i", "args": ["sh", "-c", "echo /var/inputs; sleep 100"]}
    pod = manifest("p", "sh", "-c", "echo 1 > /var/outputs/n", initContainers=task.pilots())
    pod["metadata"]["annotations"] = {"primary_container_name": "main"}
    pod["spec"]["containers"].insert(0, other)
    await pods.cluster.create(pod)
    assert (await pods.ended("p"))["status"]["phase"] == "Succeeded"
    assert pods.log("p", "other") == "/var/inputs\n"
    assert task.outputs().literals["n"].scalar.primitive.integer == 1


@pytest.mark.parametrize("path", ["/", "relative/path"])
async def test_a_path_that_cannot_be_replaced_is_refused(pods: Pods, task: Task, path: str) -> None:
    await pods.cluster.create(manifest("p", "true", initContainers=task.pilots(inputs=path)))
    pod = await pods.shown("p", lambda pod: pod.get("status"))
    waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
    assert "is no place for inputs or outputs" in waiting["message"]


def machine(folder: Path, python: Path, copilot: Path) -> Machine:
    warm, secrets = WarmParents(folder / "warm"), SecretSource(folder / "secrets")
    images = ImageTable((), Environment(python))
    return Machine(MemoryStore(), images, warm, folder / "logs", secrets, copilot=Environment(copilot))


async def test_an_environment_without_the_program_is_named(task: Task, tmp_path: Path, python: Path) -> None:
    pod = manifest("p", "true", initContainers=task.pilots(), metadata={"uid": "u"})
    with pytest.raises(CannotStart, match="need flyte-copilot: install flyte-kit"):
        await ready(pod, pod["spec"]["containers"][0], AttemptFolder(tmp_path / "a"), machine(tmp_path, python, python))


async def test_what_the_task_sets_does_not_reach_the_process_that_has_its_files(
    task: Task, tmp_path: Path, python: Path
) -> None:
    container = {"env": [{"name": "FLYTE_AWS_ENDPOINT", "value": "http://elsewhere"}]}
    pod = manifest("p", "true", container=container, initContainers=task.pilots(), metadata={"uid": "u"})
    here = machine(tmp_path, python, Path(sys.executable))
    started = await ready(pod, pod["spec"]["containers"][0], AttemptFolder(tmp_path / "a"), here)
    assert started.python == Path(sys.executable)
    assert "FLYTE_AWS_ENDPOINT" not in started.request["env"]
    assert "http://elsewhere" in started.request["env"]["FLYTE_COPILOT_COMMAND_ENVIRONMENT"]
