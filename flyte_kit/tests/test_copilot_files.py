"""``flyte-copilot``: inputs become files, files become outputs."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from flyteidl.core.errors_pb2 import ContainerError, ErrorDocument
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import (
    Binary,
    Blob,
    BlobMetadata,
    Literal,
    LiteralCollection,
    LiteralMap,
    LiteralOffloadedMetadata,
    Primitive,
    Scalar,
    Union,
    Void,
)
from flyteidl.core.types_pb2 import BlobType, LiteralType, SimpleType
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

import flyte_up
import s3_endpoint
from flyte_kit.copilot.program import main

FILE, FOLDER = BlobType(), BlobType(dimensionality=BlobType.MULTIPART)
SIMPLE = {name: LiteralType(simple=number) for name, number in SimpleType.items()}


def primitive(**value: Any) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(**value)))


def blob(path: Path, kind: BlobType) -> Literal:
    return Literal(scalar=Scalar(blob=Blob(uri=str(path), metadata=BlobMetadata(type=kind))))


class Task:
    """A task of which the store, the inputs and the outputs are folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs, self.outputs, self.prefix = folder / "in", folder / "out", folder / "prefix"
        self.outputs.mkdir()

    def download(self, form: str = "JSON", **inputs: Literal) -> int:
        document = self.folder / "inputs.pb"
        document.write_bytes(LiteralMap(literals=inputs).SerializeToString())
        options = ["--from-remote", str(document), "--to-local-dir", str(self.inputs), "--format", form]
        return main(["download", *options, "--to-output-prefix", str(self.prefix), "--input-interface", "unused"])

    def input(self, name: str) -> str:
        return (self.inputs / name).read_text()

    def upload_options(self, **outputs: LiteralType) -> list[str]:
        variables = {name: Variable(type=kind) for name, kind in outputs.items()}
        interface = TypedInterface(outputs=VariableMap(variables=variables)).SerializeToString()
        options = ["--to-raw-output", str(self.folder / "raw"), "--to-output-prefix", str(self.prefix)]
        options += ["--from-local-dir", str(self.outputs), "--timeout", "1h0m0s", "--patience", "0"]
        return [*options, "--interface", base64.b64encode(interface).decode()]

    def run(self, script: str, **outputs: LiteralType) -> int:
        """Run a shell script in the folder of the outputs, and upload."""
        command = ["sh", "-c", f"cd {self.outputs}; {script}"]
        return main(["run", *self.upload_options(**outputs), "--", *command])

    def result(self) -> dict[str, Literal]:
        assert not (self.prefix / "error.pb").exists(), self.error()
        return dict(LiteralMap.FromString((self.prefix / "outputs.pb").read_bytes()).literals)

    def error(self) -> ContainerError:
        assert not (self.prefix / "outputs.pb").exists()
        return ErrorDocument.FromString((self.prefix / "error.pb").read_bytes()).error


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path)


@pytest.mark.parametrize(
    ("literal", "text", "value"),
    [
        pytest.param(primitive(string_value="a\nü"), "a\nü", "a\nü", id="text"),
        pytest.param(primitive(integer=-3), "-3", -3, id="integer"),
        pytest.param(primitive(float_value=3.0), "3", 3, id="whole float"),
        pytest.param(primitive(float_value=1e-7), "0.0000001", 1e-7, id="small float"),
        pytest.param(primitive(float_value=1e22), "10000000000000000000000", 1e22, id="large float"),
        pytest.param(primitive(float_value=float("-inf")), "-Inf", None, id="infinity"),
        pytest.param(primitive(boolean=True), "true", True, id="boolean"),
        pytest.param(
            primitive(datetime=Timestamp(seconds=1_700_000_000, nanos=250_000_000)),
            "2023-11-14T22:13:20.25Z",
            "2023-11-14T22:13:20.25Z",
            id="time",
        ),
        pytest.param(primitive(duration=Duration(seconds=5400)), "1h30m0s", "1h30m0s", id="duration"),
        pytest.param(Literal(scalar=Scalar(none_type=Void())), "null", None, id="none"),
        pytest.param(Literal(scalar=Scalar(binary=Binary(value=b"xyz"))), "xyz", "eHl6", id="bytes"),
        pytest.param(
            Literal(scalar=Scalar(union=Union(value=primitive(integer=7), type=SIMPLE["INTEGER"]))), "7", 7, id="union"
        ),
    ],
)
def test_an_input_is_a_file_of_its_name_and_stands_in_the_document(
    task: Task, literal: Literal, text: str, value: object
) -> None:
    assert task.download(x=literal) == 0
    assert task.input("x") == text
    assert json.loads(task.input("inputs.json")) == {"x": value}
    written = LiteralMap.FromString((task.inputs / "inputs.pb").read_bytes())
    assert written.literals["x"] == literal


def test_lists_and_maps_are_folders_of_files(task: Task) -> None:
    numbers = Literal(collection=LiteralCollection(literals=[primitive(integer=n) for n in (5, 6)]))
    nested = Literal(map=LiteralMap(literals={"k": numbers}))
    generic = Struct()
    generic.update({"a": [1, "b"]})
    task.download("YAML", numbers=numbers, nested=nested, generic=Literal(scalar=Scalar(generic=generic)))
    assert (task.input("numbers/1"), task.input("nested/k/0")) == ("6", "5")
    assert json.loads(task.input("generic")) == {"a": [1, "b"]}
    document = {"numbers": [5, 6], "nested": {"k": [5, 6]}, "generic": {"a": [1.0, "b"]}}
    assert yaml.safe_load(task.input("inputs.yaml")) == document
    assert not (task.inputs / "inputs.json").exists()


def test_files_and_folders_are_copied_and_the_document_says_where_they_are(task: Task, tmp_path: Path) -> None:
    (tmp_path / "store" / "deep").mkdir(parents=True)
    (tmp_path / "store" / "a.txt").write_text("A")
    (tmp_path / "store" / "deep" / "b").write_text("B")
    task.download("PROTO", one=blob(tmp_path / "store" / "a.txt", FILE), all=blob(tmp_path / "store", FOLDER))
    assert (task.input("one"), task.input("all/a.txt"), task.input("all/deep/b")) == ("A", "A", "B")
    written = LiteralMap.FromString((task.inputs / "inputs.pb").read_bytes()).literals
    assert written["one"].scalar.blob.uri == str(task.inputs / "one")
    assert written["all"].scalar.blob.metadata.type == FOLDER
    assert sorted(path.name for path in task.inputs.iterdir()) == ["all", "inputs.pb", "one"]


def test_an_input_that_is_kept_in_storage_for_its_size_is_fetched(task: Task, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(primitive(string_value="big").SerializeToString())
    task.download(x=Literal(offloaded_metadata=LiteralOffloadedMetadata(uri=str(tmp_path / "kept"))))
    assert task.input("x") == "big"


@pytest.mark.parametrize(
    ("name", "literal", "told"),
    [
        ("gone", blob(Path("/nowhere/file"), FILE), "/nowhere/file"),
        ("gone", blob(Path("/nowhere/folder"), FOLDER), "nothing at /nowhere/folder"),
        ("out", Literal(map=LiteralMap(literals={"../x": primitive(integer=1)})), "no name of a file"),
        ("empty", Literal(), "no value"),
    ],
)
def test_an_input_that_cannot_be_a_file_fails_the_task_and_is_named(
    task: Task, name: str, literal: Literal, told: str
) -> None:
    assert task.download(**{name: literal}) == 0, "the error is in error.pb"
    error = task.error()
    assert (error.code, error.kind) == ("InputDownloadFailed", ContainerError.RECOVERABLE)
    assert repr(name) in error.message
    assert told in error.message


@pytest.mark.parametrize(
    ("kind", "text", "literal"),
    [
        ("INTEGER", " 42\\n", primitive(integer=42)),
        ("FLOAT", "1e3", primitive(float_value=1000.0)),
        ("BOOLEAN", "T", primitive(boolean=True)),
        ("STRING", "  two words \\n\\n", primitive(string_value="two words")),
        ("DATETIME", "2024-01-31T13:00:00+01:00", primitive(datetime=Timestamp(seconds=1706702400))),
        ("DURATION", "1m30s", primitive(duration=Duration(seconds=90))),
        ("BINARY", "raw", Literal(scalar=Scalar(binary=Binary(value=b"raw")))),
        ("NONE", "", Literal(scalar=Scalar(none_type=Void()))),
    ],
)
def test_a_file_is_read_as_its_output_is_declared(task: Task, kind: str, text: str, literal: Literal) -> None:
    assert task.run(f"printf '{text}' > x", x=SIMPLE[kind]) == 0
    assert task.result() == {"x": literal}


def test_a_json_object_is_a_struct_and_the_extension_of_a_file_does_not_matter(task: Task) -> None:
    task.run("""printf '{"a": [1, "b"]}' > x.json""", x=SIMPLE["STRUCT"])
    assert dict(task.result()["x"].scalar.generic)["a"][1] == "b"


def test_files_and_folders_are_uploaded_below_the_raw_prefix(task: Task) -> None:
    kinds = {"one": LiteralType(blob=BlobType(format="csv")), "all": LiteralType(blob=FOLDER)}
    assert task.run("printf A > one; mkdir -p all/deep; printf B > all/deep/b; printf C > all/c", **kinds) == 0
    result, raw = task.result(), task.folder / "raw"
    assert result["one"].scalar.blob == Blob(uri=str(raw / "one"), metadata=BlobMetadata(type=kinds["one"].blob))
    assert result["all"].scalar.blob.uri == str(raw / "all")
    uploaded = {str(path.relative_to(raw)): path.read_text() for path in raw.rglob("*") if path.is_file()}
    assert uploaded == {"one": "A", "all/deep/b": "B", "all/c": "C"}


@pytest.mark.parametrize(
    ("script", "kind", "told"),
    [
        pytest.param("printf 1 > y", SIMPLE["INTEGER"], ["has not written it", "there is: y"], id="missing"),
        pytest.param("printf 1 > x.a; printf 1 > x.b", SIMPLE["INTEGER"], ["several files"], id="ambiguous"),
        pytest.param("printf 1_0 > x", SIMPLE["INTEGER"], ["'1_0' is no 64-bit integer"], id="no integer"),
        pytest.param("printf 99999999999999999999 > x", SIMPLE["INTEGER"], ["64-bit"], id="large integer"),
        pytest.param("printf yes > x", SIMPLE["BOOLEAN"], ["neither true nor false"], id="no boolean"),
        pytest.param("printf 1_0 > x", SIMPLE["FLOAT"], ["no number"], id="no float"),
        pytest.param("printf today > x", SIMPLE["DATETIME"], ["RFC 3339"], id="no time"),
        pytest.param("printf 5 > x", SIMPLE["DURATION"], ["no duration"], id="no duration"),
        pytest.param("printf [1] > x", SIMPLE["STRUCT"], ["no JSON object"], id="no object"),
        pytest.param("printf %1025d 1 > x", SIMPLE["STRING"], ["more than 1024 bytes"], id="too long"),
        pytest.param("mkdir x", SIMPLE["STRING"], ["no regular file"], id="folder for a text"),
        pytest.param("mkfifo x", LiteralType(blob=FILE), ["no regular file"], id="pipe"),
        pytest.param("mkdir x", LiteralType(blob=FILE), ["is a folder"], id="folder for a file"),
        pytest.param("printf 1 > x", LiteralType(blob=FOLDER), ["is a file"], id="file for a folder"),
        pytest.param("ln -s /nowhere x", LiteralType(blob=FILE), ["has not written it"], id="dangling link"),
        pytest.param("printf 1 > x", LiteralType(collection_type=SIMPLE["INTEGER"]), ["collection"], id="list"),
    ],
)
def test_an_output_that_is_not_what_it_should_be_fails_the_task_and_is_named(
    task: Task, script: str, kind: LiteralType, told: list[str]
) -> None:
    assert task.run(script, x=kind) == 0
    error = task.error()
    assert (error.code, error.kind) == ("OutputUploadFailed", ContainerError.RECOVERABLE)
    assert error.message.startswith("output 'x': ")
    assert all(text in error.message for text in told), error.message


def test_nothing_is_uploaded_when_one_of_the_outputs_is_wrong(task: Task) -> None:
    task.run("printf A > a; printf no > b", a=LiteralType(blob=FILE), b=SIMPLE["INTEGER"])
    assert "output 'b'" in task.error().message
    assert not (task.folder / "raw").exists()


def test_the_text_of_the_error_file_is_the_error(task: Task) -> None:
    task.run("printf 1 > x; printf 'no luck' > _ERROR", x=SIMPLE["INTEGER"])
    assert task.error().message == "User Error: no luck"


def run(*words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    program = "import sys; from flyte_kit.copilot.program import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", program, *words], text=True, stderr=subprocess.PIPE, env={**os.environ, **(env or {})}
    )


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -KILL $$", -9), ("kill -TERM $$", -15)])
def test_a_command_that_fails_is_the_end_of_it_and_nothing_is_uploaded(task: Task, script: str, code: int) -> None:
    process = run("run", *task.upload_options(x=SIMPLE["INTEGER"]), "--", "sh", "-c", script)
    assert process.wait(20) == code
    assert not task.prefix.exists()


def test_a_program_that_is_not_there_is_named(task: Task) -> None:
    process = run("run", *task.upload_options(x=SIMPLE["INTEGER"]), "--", "no-such-program")
    assert "no-such-program: not found on PATH" in process.communicate(timeout=20)[1]
    assert process.returncode == 127


def test_the_command_has_the_environment_that_is_meant_for_it(task: Task) -> None:
    environment = {"FLYTE_COPILOT_COMMAND_ENVIRONMENT": json.dumps({"PATH": "/usr/bin:/bin", "MINE": "1"}), "NOT": "2"}
    script = f"cd {task.outputs}; env | grep -E '^(MINE|NOT|FLYTE_COPILOT)' > x"
    process = run("run", *task.upload_options(x=SIMPLE["STRING"]), "--", "sh", "-c", script, env=environment)
    assert process.wait(20) == 0
    assert task.result()["x"] == primitive(string_value="MINE=1")


def test_a_request_to_end_reaches_the_command_once_and_its_outputs_are_not_taken(task: Task) -> None:
    script = (
        f"cd {task.outputs}; trap 'printf . >> told; printf 1 > x; exit 0' TERM; touch up; while :; do sleep .05; done"
    )
    process = run("run", *task.upload_options(x=SIMPLE["INTEGER"]), "--", "sh", "-c", script)
    wait_for(task.outputs / "up")
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM
    assert (task.outputs / "told").read_text() == "."
    assert not task.prefix.exists()


def test_the_sidecar_uploads_once_it_is_told_that_the_others_have_ended(task: Task) -> None:
    process = run("sidecar", *task.upload_options(x=SIMPLE["INTEGER"]))
    assert process.stderr is not None
    assert "waiting for the end" in process.stderr.readline()
    (task.outputs / "x").write_text("5")
    assert process.poll() is None
    process.terminate()
    assert process.wait(20) == 0
    assert task.result() == {"x": primitive(integer=5)}


@pytest.mark.parametrize("words", [["download", "--from-remote", "s3://flyte/in", "--to-local-dir", "in"], ["run"]])
def test_a_store_that_does_not_answer_is_the_systems_fault(task: Task, words: list[str]) -> None:
    environment = {
        "FLYTE_AWS_ENDPOINT": "http://127.0.0.1:1",
        "FLYTE_AWS_ACCESS_KEY_ID": "a",
        "FLYTE_AWS_SECRET_ACCESS_KEY": "b",
    }
    if words == ["run"]:
        (task.outputs / "x").write_text("5")
        words = ["run", *task.upload_options(x=SIMPLE["INTEGER"]), "--to-output-prefix", "s3://flyte/out", "--", "true"]
    else:
        words = [*words, "--to-output-prefix", "s3://flyte/out", "--patience", "0"]
    process = run(*words, env=environment)
    told = process.communicate(timeout=30)[1]
    assert process.returncode == -signal.SIGKILL
    assert "flyte-copilot: the system failed, not the task" in told


def test_an_upload_that_takes_too_long_is_interrupted(task: Task) -> None:
    environment = {"FLYTE_AWS_ENDPOINT": "http://127.0.0.1:1"}
    (task.outputs / "x").write_text("5")
    late = ["--to-output-prefix", "s3://flyte/out", "--patience", "100", "--timeout", "300ms"]
    process = run("run", *task.upload_options(x=SIMPLE["INTEGER"]), *late, "--", "true", env=environment)
    assert "it took more than 0.3 s" in process.communicate(timeout=30)[1]
    assert process.returncode == -signal.SIGKILL


def test_a_store_that_comes_back_in_time_costs_nothing(task: Task, tmp_path: Path) -> None:
    (task.outputs / "x").write_text("5")
    [port] = flyte_up.free_ports(1)
    environment = {
        "FLYTE_AWS_ENDPOINT": f"http://127.0.0.1:{port}",
        "FLYTE_AWS_ACCESS_KEY_ID": s3_endpoint.CREDENTIALS.access_key,
        "FLYTE_AWS_SECRET_ACCESS_KEY": s3_endpoint.CREDENTIALS.secret_key,
    }
    options = [*task.upload_options(x=SIMPLE["INTEGER"]), "--to-output-prefix", "s3://flyte/out", "--patience", "60"]
    process = run("run", *options, "--", "touch", str(tmp_path / "ran"), env=environment)
    wait_for(tmp_path / "ran")
    with s3_endpoint.serve(tmp_path / "store", port=port) as endpoint:
        assert process.wait(40) == 0
        stored = (endpoint.root / "flyte" / "out" / "outputs.pb").read_bytes()
    assert LiteralMap.FromString(stored).literals["x"] == primitive(integer=5)


def test_keys_that_the_store_refuses_are_the_systems_fault(task: Task, tmp_path: Path) -> None:
    with s3_endpoint.serve(tmp_path / "store") as endpoint:
        environment = {
            "FLYTE_AWS_ENDPOINT": endpoint.url,
            "FLYTE_AWS_ACCESS_KEY_ID": s3_endpoint.CREDENTIALS.access_key,
            "FLYTE_AWS_SECRET_ACCESS_KEY": "wrong",
        }
        words = ["--from-remote", "s3://flyte/in", "--to-local-dir", "in", "--to-output-prefix", "s3://flyte/out"]
        process = run("download", *words, env=environment)
        assert "the system failed, not the task" in process.communicate(timeout=30)[1]
    assert process.returncode == -signal.SIGKILL


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.02)
