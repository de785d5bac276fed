"""`flyte run --remote`, `execute`, `register`, `package`, `serialize` and `diff` against a running control plane."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = '''
import typing
from dataclasses import dataclass

import pandas as pd
from flyte_kit import FlyteDirectory, FlyteFile, LaunchPlan, task, workflow

{extra}


@dataclass
class Size:
    width: int
    height: float = 1.5


@task
def greet(name: str, times: int = 1, note: typing.Optional[str] = None) -> str:
    """Say hello."""
    return ", ".join([f"hello {{name}}"] * times)


@task
def area(size: Size) -> float:
    return size.width * size.height


@task
def read(file: FlyteFile, folder: FlyteDirectory, table: pd.DataFrame) -> str:
    import os
    local = os.fspath(folder)
    paths = [os.path.join(at, name) for at, _, found in os.walk(local) for name in found]
    names = sorted(os.path.relpath(path, local) for path in paths)
    return f"{{open(file).read()}} {{','.join(names)}} {{int(table['a'].sum())}}"


@task
def fail(x: int) -> int:
    raise ValueError(f"no {{x}}")


@workflow
def wf(name: str = "world", width: int = 2) -> typing.Tuple[str, float]:
    return greet(name=name, times=2), area(size=Size(width=2))


@workflow
def bad(x: int = 1) -> int:
    return fail(x=x)


plan = LaunchPlan.get_or_create(wf, name="{name}.plan", fixed_inputs={{"width": 7}}, default_inputs={{"name": "plan"}})
'''


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def program(name: str, extra: str = "") -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(PROGRAM.format(name=name, extra=extra))
        return path

    return program


def test_a_workflow_is_registered_run_and_followed(up: Any, write: Callable[..., Path]) -> None:
    out = up.flyte("run", "--remote", "--follow", str(write("followed")), "wf", "--name", "you")
    assert re.search(r"n0 +greet +SUCCEEDED", out)
    assert "o0: hello you, hello you" in out
    assert "o1: 3.0" in out


def test_without_following_the_name_and_the_next_step_are_told(up: Any, write: Callable[..., Path]) -> None:
    out = up.flyte("run", "--remote", "--name", "told-once", str(write("told")), "wf")
    assert out.splitlines()[0].startswith("told-once of told.wf ")
    assert "flyte get executions told-once --watch" in out
    assert up.wait("told-once") == "SUCCEEDED"
    again = up.flyte("run", "--remote", "--follow", "--name", "told-once", str(write("told")), "wf")
    assert "o1: 3.0" in again, "an execution of that name is taken up, not started again"


def test_a_task_gets_the_defaults_of_its_function_and_gives_json(up: Any, write: Callable[..., Path]) -> None:
    out = up.flyte("run", "--remote", "--follow", "-o", "json", str(write("as_json")), "greet", "--name", "you")
    data = json.loads(out)
    assert data["outputs"] == {"o0": "hello you"}
    assert data["closure"]["phase"] == "SUCCEEDED"


def test_a_failure_names_the_error_and_exits_with_1(up: Any, write: Callable[..., Path]) -> None:
    err = up.flyte("run", "--remote", "--follow", str(write("failing")), "bad", code=1)
    line = err.splitlines()[-1]
    assert "FAILED: ValueError: no 1" in line
    assert "flyte logs" in line


def test_files_folders_and_tables_of_this_machine_are_uploaded(
    up: Any, write: Callable[..., Path], tmp_path: Path
) -> None:
    program = write("uploading")
    (tmp_path / "text.txt").write_text("content")
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "a.txt").write_text("a")
    (tmp_path / "folder" / "deep" / "a.txt").write_text("b")
    (tmp_path / "table").mkdir()
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import pandas as pd; pd.DataFrame({{'a': [1, 2]}}).to_parquet('{tmp_path}/table/0.parquet')",
        ],
        check=True,
    )
    inputs = ["--file", f"{tmp_path}/text.txt", "--folder", f"{tmp_path}/folder", "--table", f"{tmp_path}/table"]
    out = up.flyte("run", "--remote", "--follow", str(program), "read", *inputs)
    assert "content a.txt,deep/a.txt 3" in out


def test_options_of_an_execution_are_in_its_spec(up: Any, write: Callable[..., Path]) -> None:
    options = ["--env", "A=1", "--tag", "t1", "--labels", "l=2", "--annotations", "n=3", "--max-parallelism", "4"]
    options += ["--service-account", "robot", "--raw-output-data-prefix", "s3://flyte/mine", "--overwrite-cache"]
    options += ["--interruptible", "true", "--cluster-pool", "pool", "--execution-cluster-label", "blue"]
    out = up.flyte("run", "--remote", "-o", "json", *options, str(write("optional")), "wf")
    spec = json.loads(out)["spec"]
    assert spec["envs"] == {"values": [{"key": "A", "value": "1"}]}
    assert spec["tags"] == ["t1"]
    assert spec["labels"] == {"values": {"l": "2"}}
    assert spec["annotations"] == {"values": {"n": "3"}}
    assert spec["max_parallelism"] == 4
    assert spec["security_context"]["run_as"]["k8s_service_account"] == "robot"
    assert spec["raw_output_data_config"]["output_location_prefix"] == "s3://flyte/mine"
    assert spec["overwrite_cache"]
    assert spec["interruptible"]
    assert spec["cluster_assignment"]["cluster_pool_name"] == "pool"
    assert spec["execution_cluster_label"]["value"] == "blue"


def test_what_is_registered_is_launched_by_name(up: Any, write: Callable[..., Path]) -> None:
    up.flyte("register", str(write("named")), "--version", "v1", "--activate-launchplans")
    page = up.flyte("execute", "launch-plan", "named.plan", "--help")
    assert "--name STRING" in page
    assert "[default: plan]" in page
    assert "--width" not in page, "a fixed input is no option"
    out = up.flyte("execute", "--follow", "launch-plan", "named.plan", "--name", "me")
    assert "o0: hello me, hello me" in out
    assert "o0: hello world" in up.flyte("execute", "--follow", "workflow", "named.wf:v1")
    assert "o0: 4.5" in up.flyte("run", "--follow", "remote-task", "named.area", "--size", '{"width": 3}')
    err = up.flyte("execute", "task", "named.nope", code=1)
    assert "no task named.nope is registered in flytesnacks/development; `flyte get tasks` lists them" in err
    assert "missing inputs: --size" in up.flyte("execute", "task", "named.area", code=2)


def test_registering_again_is_no_change_and_other_code_under_the_same_version_is_refused(
    up: Any, write: Callable[..., Path]
) -> None:
    program = write("again")
    first = json.loads(up.flyte("register", str(program), "--version", "v1", "-o", "json"))
    assert {row["status"] for row in first["entities"]} == {"registered"}
    second = json.loads(up.flyte("register", str(program), "--version", "v1", "-o", "json"))
    assert {row["status"] for row in second["entities"]} == {"unchanged"}
    write("again", extra="@task\ndef greet_two(x: int) -> int: return x\n")
    changed = program.read_text().replace("times: int = 1, ", "")
    program.write_text(changed.replace(", times=2)", ")"))
    err = up.flyte("register", str(program), "--version", "v1", code=1)
    assert "again.greet" in err
    assert "different structure" in err or "already" in err


def test_the_version_is_made_of_the_code_and_known_before_anything_is_sent(up: Any, write: Callable[..., Path]) -> None:
    program = write("dry")
    dry = json.loads(up.flyte("register", str(program), "--dry-run", "-o", "json"))
    assert {row["status"] for row in dry["entities"]} == {"not registered"}
    assert "dry.wf" not in up.flyte("get", "workflows")
    sent = json.loads(up.flyte("register", str(program), "-o", "json"))
    assert sent["version"] == dry["version"]
    program.write_text(program.read_text() + "\n# more\n")
    assert json.loads(up.flyte("register", str(program), "--dry-run", "-o", "json"))["version"] != dry["version"]


def test_files_that_cannot_be_imported_are_skipped_where_asked_for(
    up: Any, write: Callable[..., Path], tmp_path: Path
) -> None:
    write("skipping")
    (tmp_path / "wrong.py").write_text("1 / 0\n")
    err = up.flyte("register", str(tmp_path), code=1)
    assert "cannot be imported: ZeroDivisionError" in err
    assert "skipping.wf" not in up.flyte("get", "workflows")
    err = up.flyte("register", str(tmp_path), "--skip-errors", code=1)
    assert "1 of the files could not be imported" in err
    assert "skipping.wf" in up.flyte("get", "workflows")


def test_a_package_is_registered_with_its_code_and_runs(up: Any, write: Callable[..., Path], tmp_path: Path) -> None:
    archive = tmp_path / "package.tgz"
    program = write("packaged")
    assert "3 launch plans, with the code" in up.flyte("package", str(program), "--fast", "-o", str(archive))
    assert "is there already: --force replaces it" in up.flyte("package", str(program), "-o", str(archive), code=1)
    said = json.loads(up.flyte("package", str(program), "--fast", "--force", "-o", str(archive), "--json"))
    assert {"kind": "workflow", "name": "packaged.wf"} in said["entities"]
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert any(name.endswith("_packaged.wf_2.pb") for name in names)
    assert any(name.startswith("fast") for name in names)
    up.flyte("register", str(archive), "--version", "p1")
    assert "o1: 3.0" in up.flyte("execute", "--follow", "workflow", "packaged.wf:p1")


def test_serialized_messages_are_files(up: Any, write: Callable[..., Path], tmp_path: Path) -> None:
    up.flyte("serialize", str(write("serialized")), "-f", str(tmp_path / "out"))
    assert "0_serialized.greet_1.pb" in os.listdir(tmp_path / "out")
    said = json.loads(up.flyte("serialize", str(tmp_path / "serialized.py"), "-f", str(tmp_path / "out"), "-o", "json"))
    assert sorted(said["files"]) == sorted(os.listdir(tmp_path / "out"))


def test_a_diff_shows_what_a_registration_would_change(up: Any, write: Callable[..., Path]) -> None:
    program = write("differing")
    assert "9 new" in up.flyte("diff", str(program)).splitlines()[-1]
    up.flyte("register", str(program))
    assert up.flyte("diff", str(program)) == "9 the same\n"
    program.write_text(
        program.read_text().replace("times=2", "times=3").replace("@task\ndef greet", "@task(retries=2)\ndef greet")
    )
    out = up.flyte("diff", str(program))
    assert "task differing.greet: changed since" in out
    assert re.search(r"\+ +retries: 2", out)
    assert "workflow differing.wf: changed" in out
    assert "7 the same" in out
    assert up.flyte("register", "--plan", str(program)) == out
    up.flyte("diff", "--exit-code", str(program), code=1)


NESTED = """
from flyte_kit import conditional, task, workflow


@task
def alpha(x: int) -> int: return x
@task
def beta(x: int) -> int: return x
@workflow
def inner(x: int) -> int: return beta(x=x)
@workflow
def middle(x: int) -> int: return inner(x=beta(x=x))
@workflow
def wf(x: int = 3) -> int:
    y = middle(x=alpha(x=x))
    return conditional("c").if_(y > 2).then(inner(x=y)).else_().then(alpha(x=y))
"""


def test_nodes_at_every_depth_have_the_names_of_their_authors(up: Any, tmp_path: Path) -> None:
    (tmp_path / "nested.py").write_text(NESTED)
    out = up.flyte("run", "--remote", "--follow", str(tmp_path / "nested.py"), "wf")
    found = dict(re.findall(r" s +(n[-n0-9]+) +(\w+) +SUCCEEDED", out))
    assert found == {
        "n0": "alpha",
        "n1": "middle",
        "n1-0-n0": "beta",
        "n1-0-n1": "inner",
        "n1-0-n1-0-n0": "beta",
        "n2": "c",
        "n2-0-n2-n0": "inner",
        "n2-0-n2-n0-0-n0": "beta",
    }


EAGER = """
import asyncio
import time

from flyte_kit import eager, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@task
async def slow(x: int) -> int:
    time.sleep(60)
    return x


@workflow
def twice(x: int) -> int:
    return double(x=double(x=x))


@eager
async def careful(x: int) -> int:
    return twice(x=double(x=x)) if x > 1 else double(x=x)


@eager
async def stumbles(x: int) -> int:
    started = asyncio.create_task(slow(x=x))
    await asyncio.sleep(2)
    raise ValueError(f"no {x}")
"""


def test_an_eager_task_starts_executions_and_leaves_none_behind(up: Any, tmp_path: Path) -> None:
    program = tmp_path / "eagerly.py"
    program.write_text(EAGER)
    out = up.flyte("run", "--remote", "--follow", str(program), "careful", "--x", "3", seconds=90)
    assert "o0: 24" in out
    err = up.flyte("run", "--remote", "--follow", str(program), "stumbles", "--x", "3", code=1, seconds=90)
    assert "ValueError: no 3" in err
    rows = json.loads(up.flyte("get", "executions", "-o", "json", "--limit", "5"))
    started = [row for row in rows if row["spec"]["launch_plan"]["name"] == "eagerly.slow"]
    assert len(started) == 1
    assert up.wait(started[0]["id"]["name"]) == "ABORTED"


def test_on_a_terminal_the_tree_is_drawn(up: Any, write: Callable[..., Path]) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "flyte_cli", "run", "--remote", "--follow", str(write("drawn")), "wf"]
    environment = {
        **os.environ,
        "FLYTECTL_CONFIG": str(up.server.data / "config.yaml"),
        "TERM": "xterm",
        "COLUMNS": "120",
    }
    process = subprocess.Popen(command, env=environment, stdout=follower, stderr=follower, stdin=subprocess.DEVNULL)
    os.close(follower)
    seen = b""
    try:
        while chunk := os.read(leader, 65536):
            seen += chunk
    except OSError:  # the end of a terminal
        pass
    assert process.wait(timeout=30) == 0
    os.close(leader)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    assert re.search(r"── ✓ n0  greet  SUCCEEDED", text), text
    assert "2 of 2 nodes" in text
