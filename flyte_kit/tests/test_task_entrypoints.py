"""What runs in a container: `pyflyte-execute` and its kin."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.errors_pb2 import ContainerError, ErrorDocument
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import Literal, LiteralMap

from flyte_kit.core.constants import own_name
from flyte_kit.entrypoints.execute import execute, map_execute
from flyte_kit.entrypoints.fast_execute import fast_execute, unpack
from flyte_kit.registration.sources import CopyFileDetection
from flyte_kit.registration.tarball import pack

RESOLVER = "flytekit.core.python_auto_container.default_task_resolver"
PROGRAM = """
from flyte_kit import dynamic, map_task, task
from flyte_kit.exceptions.user import FlyteRecoverableException

@task
def double(x: int) -> int:
    return 2 * x

@task
def fail(x: int) -> int:
    raise ValueError(f"no {x}")

@task
def later(x: int) -> int:
    raise FlyteRecoverableException("try again")

@task
def large(x: int) -> str:
    return "x" * x

@dynamic
def fan(n: int) -> list[int]:
    return [double(x=i) for i in range(n)]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "entry_program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path / "code")
    known = list(sys.path)
    yield tmp_path
    sys.path[:] = known
    sys.modules.pop("entry_program", None)


def _inputs(place: Path, **values: int | list[int]) -> str:
    inputs = LiteralMap()
    for name, value in values.items():
        literal = inputs.literals[name]
        if isinstance(value, list):
            for each in value:
                literal.collection.literals.add().scalar.primitive.integer = each
        else:
            literal.scalar.primitive.integer = value
    path = place / "inputs.pb"
    path.write_bytes(inputs.SerializeToString())
    return str(path)


def _arguments(place: Path, inputs: str, task: str) -> list[str]:
    words = ["--inputs", inputs, "--output-prefix", str(place / "out"), "--raw-output-data-prefix", str(place / "raw")]
    words += ["--checkpoint-path", str(place / "cp"), "--prev-checkpoint", '""', "--resolver", RESOLVER]
    return [*words, "--", "task-module", "entry_program", "task-name", task]


def _error(place: Path) -> ContainerError:
    return ErrorDocument.FromString((place / "out" / "error.pb").read_bytes()).error


def test_a_task_reads_its_inputs_and_writes_its_outputs(place: Path) -> None:
    assert execute(_arguments(place, _inputs(place, x=4), "double")) == 0
    outputs = LiteralMap.FromString((place / "out" / "outputs.pb").read_bytes())
    assert outputs.literals["o0"].scalar.primitive.integer == 8
    assert not (place / "out" / "error.pb").exists()


def test_an_error_of_the_user_is_written_down_and_the_exit_code_is_zero(place: Path) -> None:
    assert execute(_arguments(place, _inputs(place, x=4), "fail")) == 0
    error = _error(place)
    assert error.code == "USER:RuntimeError"
    assert (error.kind, error.origin) == (ContainerError.NON_RECOVERABLE, ExecutionError.USER)
    assert "Message:\n\n    ValueError: no 4" in error.message
    assert 'raise ValueError(f"no {x}")' in error.message
    assert "base_task.py" not in error.message


def test_the_exit_code_tells_of_a_failure_when_asked_to(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_FAIL_ON_ERROR", "true")
    assert execute(_arguments(place, _inputs(place, x=4), "fail")) == 1


def test_a_recoverable_error_says_that_another_attempt_makes_sense(place: Path) -> None:
    execute(_arguments(place, _inputs(place, x=4), "later"))
    assert _error(place).kind == ContainerError.RECOVERABLE


def test_a_missing_module_is_the_users_error(place: Path) -> None:
    words = _arguments(place, _inputs(place, x=4), "double")
    execute([word.replace("entry_program", "no_such_module") for word in words])
    assert "No module named 'no_such_module'" in _error(place).message


def test_missing_inputs_in_the_store_are_an_error_document_too(place: Path) -> None:
    assert execute(_arguments(place, str(place / "nowhere.pb"), "double")) == 0
    assert "nowhere.pb" in _error(place).message


def test_a_workers_error_has_a_file_of_its_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_INTERNAL_DIST_ERROR_STRATEGY", "Earliest")
    monkeypatch.setenv("FLYTE_INTERNAL_WORKER_NAME", "worker-1")
    execute(_arguments(place, _inputs(place, x=4), "fail"))
    (file,) = (place / "out").glob("error-*.pb")
    assert ErrorDocument.FromString(file.read_bytes()).error.worker == "worker-1"


def test_a_dynamic_task_writes_the_workflow_that_it_made(place: Path) -> None:
    execute(_arguments(place, _inputs(place, n=3), "fan"))
    spec = DynamicJobSpec.FromString((place / "out" / "futures.pb").read_bytes())
    assert len(spec.nodes) == 3
    assert [template.id.name for template in spec.tasks] == ["entry_program.double"]


def test_a_large_output_is_put_beside_the_outputs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_F_L_MIN_SIZE_MB", "1")
    monkeypatch.setenv("_F_L_MAX_SIZE_MB", "4")
    execute(_arguments(place, _inputs(place, x=2 * 1024 * 1024), "large"))
    outputs = LiteralMap.FromString((place / "out" / "outputs.pb").read_bytes())
    reference = outputs.literals["o0"].offloaded_metadata
    kept = Literal.FromString(Path(reference.uri).read_bytes())
    assert len(kept.scalar.primitive.string_value) == 2 * 1024 * 1024
    assert outputs.literals["o0"].hash
    assert reference.size_bytes == kept.ByteSize()


def test_an_output_above_the_limit_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_F_L_MIN_SIZE_MB", "1")
    monkeypatch.setenv("_F_L_MAX_SIZE_MB", "2")
    execute(_arguments(place, _inputs(place, x=3 * 1024 * 1024), "large"))
    assert "output o0" in _error(place).message


def test_one_element_of_a_mapping_takes_its_input_and_gives_its_output(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCH_JOB_ARRAY_INDEX_VAR_NAME", "FLYTE_K8S_ARRAY_INDEX")
    monkeypatch.setenv("FLYTE_K8S_ARRAY_INDEX", "1")
    words = _arguments(place, _inputs(place, x=[5, 6, 7]), "double")
    resolver = "flytekit.core.array_node_map_task.ArrayNodeMapTaskResolver"
    words[words.index(RESOLVER)] = resolver
    after = words.index("--") + 1
    words[after:] = ["vars", "", "resolver", RESOLVER, *words[after:]]
    assert map_execute(words) == 0
    outputs = LiteralMap.FromString((place / "out" / "outputs.pb").read_bytes())
    assert outputs.literals["o0"].scalar.primitive.integer == 12


def test_fast_execution_unpacks_the_code_and_runs_the_command(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(tmp_path / "code", CopyFileDetection.ALL).save(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    command = ["pyflyte-execute", *_arguments(place, _inputs(place, x=4), "double")]
    words = ["--additional-distribution", str(archive), "--dest-dir", str(elsewhere / "code"), "--", *command]
    assert fast_execute(words) == 0
    assert (place / "out" / "outputs.pb").exists()
    assert (elsewhere / "code" / "entry_program.py").exists()


def test_an_archive_cannot_write_outside_of_its_folder(tmp_path: Path) -> None:
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo("../outside.txt")
        tar.addfile(info, io.BytesIO())
    with pytest.raises(tarfile.TarError):
        unpack(buffer.getvalue(), str(tmp_path / "inside"))
    assert not (tmp_path / "outside.txt").exists()


def test_a_missing_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--inputs", "x"]) == 2
    assert "--output-prefix" in capsys.readouterr().err


def test_names_of_flytekit_are_read_as_ours() -> None:
    assert own_name(RESOLVER) == "flyte_kit.core.python_auto_container.default_task_resolver"
