"""From code to what is registered: archives, versions, uploads, containers."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flyteidl.core.errors_pb2 import ErrorDocument
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.service.dataproxy_pb2 import CreateUploadLocationRequest, CreateUploadLocationResponse

from flyte_kit.exceptions.user import FlyteEntityNotExistException, FlyteInvalidInputException

PROGRAM = """
from flyte_kit import LaunchPlan, task, workflow
@task
def work(x: int) -> int:
    return x + {plus}
@workflow
def wf(x: int = 1) -> int:
    return work(x=x)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a user with one program."""
    place = tmp_path / "code"
    place.mkdir()
    (place / "rows_registered.py").write_text(PROGRAM.format(plus=1))
    return place


def _register(up: Any, folder: Path, *options: str, code: int = 0) -> str:
    answer: str = up.flyte("register", *options, str(folder / "rows_registered.py"), code=code, cwd=folder)
    return answer


def _version(printed: str) -> str:
    document = json.loads(printed)
    return str(document["version"])


def test_083_code_goes_along_and_is_fetched_from_where_the_task_says(up: Any, folder: Path) -> None:
    version = _version(_register(up, folder, "-o", "json"))
    task = up.remote.fetch_task(name="rows_registered.work", version=version)
    arguments = [*task.message.closure.compiled_task.template.container.args]
    assert arguments[0] == "pyflyte-fast-execute"
    location = arguments[arguments.index("--additional-distribution") + 1]
    local = folder / "fetched.tar.gz"
    up.download(location, local)
    with tarfile.open(local) as archive:
        assert "rows_registered.py" in [name.removeprefix("./") for name in archive.getnames()]


def test_084_without_code_nothing_is_uploaded_and_the_command_is_plain(up: Any, folder: Path) -> None:
    _register(up, folder, "--copy", "none", "--version", "plain-1")
    task = up.remote.fetch_task(name="rows_registered.work", version="plain-1")
    assert task.message.closure.compiled_task.template.container.args[0] == "pyflyte-execute"


def test_085_the_same_registered_twice_is_no_error(up: Any, folder: Path) -> None:
    for _ in range(2):
        _register(up, folder, "--version", "twice-1")


def test_086_something_else_under_a_version_that_is_there_is_refused_by_name(up: Any, folder: Path) -> None:
    _register(up, folder, "--version", "other-1")
    source = PROGRAM.format(plus=2).replace("def work(x: int) -> int", "def work(x: int, y: int = 3) -> int")
    (folder / "rows_registered.py").write_text(source)
    refused = _register(up, folder, "--version", "other-1", code=1)
    assert "rows_registered.work" in refused
    assert "other-1" in refused


def test_087_a_version_is_made_of_the_code_and_changes_with_it_only(up: Any, folder: Path) -> None:
    versions = [_version(_register(up, folder, "-o", "json", "--dry-run")) for _ in range(2)]
    (folder / "rows_registered.py").write_text(PROGRAM.format(plus=2))
    versions.append(_version(_register(up, folder, "-o", "json", "--dry-run")))
    assert versions[0] == versions[1] != versions[2]


@pytest.fixture
def in_container(tmp_path: Path) -> Callable[..., Path]:
    """Run an entrypoint as a container would; return its folder of outputs."""

    def run(*words: str, module: str = "rows_of_workflows", task: str = "double", x: int = 4) -> Path:
        inputs = LiteralMap()
        inputs.literals["x"].scalar.primitive.integer = x
        (tmp_path / "inputs.pb").write_bytes(inputs.SerializeToString())
        execute = [
            *("pyflyte-execute", "--inputs", str(tmp_path / "inputs.pb"), "--output-prefix", str(tmp_path / "out")),
            *("--raw-output-data-prefix", str(tmp_path / "raw"), "--checkpoint-path", '""', "--prev-checkpoint", '""'),
            *("--resolver", "flytekit.core.python_auto_container.default_task_resolver"),
            *("--", "task-module", module, "task-name", task),
        ]
        command = [*words, *execute]
        command[0] = str(Path(sys.executable).parent / command[0])
        cwd = tmp_path if words else Path(__file__).parent / "programs"
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return tmp_path / "out"

    return run


def test_091_a_container_fetches_the_code_and_finds_it_where_it_was_put(
    in_container: Callable[..., Path], folder: Path, tmp_path: Path
) -> None:
    with tarfile.open(tmp_path / "code.tar.gz", "w:gz") as archive:
        archive.add(folder / "rows_registered.py", "rows_registered.py")
    shutil.rmtree(folder)
    (tmp_path / "there").mkdir()
    fetch = ["pyflyte-fast-execute", "--additional-distribution", str(tmp_path / "code.tar.gz")]
    out = in_container(*fetch, "--dest-dir", str(tmp_path / "there"), "--", module="rows_registered", task="work")
    outputs = LiteralMap.FromString((out / "outputs.pb").read_bytes())
    assert outputs.literals["o0"].scalar.primitive.integer == 5


def test_092_outputs_and_errors_are_files_and_an_error_of_the_user_is_no_failure_of_the_container(
    in_container: Callable[..., Path],
) -> None:
    outputs = LiteralMap.FromString((in_container(task="double") / "outputs.pb").read_bytes())
    assert outputs.literals["o0"].scalar.primitive.integer == 8
    error = ErrorDocument.FromString((in_container(task="fail") / "error.pb").read_bytes()).error
    assert "no 4" in error.message


def _put(place: CreateUploadLocationResponse, content: bytes, digest: bytes) -> int:
    headers = {"Content-MD5": base64.b64encode(digest).decode(), **place.headers}
    request = urllib.request.Request(place.signed_url, data=content, headers=headers, method="PUT")
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_100_an_upload_goes_to_a_signed_address_and_other_content_is_refused_there(up: Any, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_bytes(b"content")
    digest, location = up.remote.upload_file(tmp_path / "data.txt")
    assert digest == hashlib.md5(b"content").digest()
    up.download(location, tmp_path / "back.txt")
    assert (tmp_path / "back.txt").read_bytes() == b"content"
    request = CreateUploadLocationRequest(
        project="flytesnacks", domain="development", filename="other.txt", content_md5=digest
    )
    place = up.remote.client.call(up.remote.client.data_proxy.CreateUploadLocation, request)
    assert _put(place, b"something else", digest) in (400, 403)
    assert _put(place, b"content", digest) == 200


def test_104_an_archive_of_one_command_is_registered_by_another(up: Any, folder: Path, tmp_path: Path) -> None:
    archive = str(tmp_path / "package.tgz")
    up.flyte("package", "--fast", "-o", archive, str(folder / "rows_registered.py"), cwd=folder)
    with tarfile.open(archive) as packed:
        names = packed.getnames()
    assert [name for name in names if name.endswith("_1.pb")]
    assert [name for name in names if name.endswith("_2.pb")]
    assert [name for name in names if name.endswith("_3.pb")]
    up.flyte("register", "--version", "packed-1", archive, cwd=tmp_path)
    plan = up.remote.fetch_launch_plan(name="rows_registered.wf", version="packed-1")
    assert up.value(plan, x=2) == 3


def test_116_a_folder_is_uploaded_under_one_prefix_and_a_large_file_as_a_whole(up: Any, tmp_path: Path) -> None:
    many = tmp_path / "many"
    (many / "deep").mkdir(parents=True)
    (many / "one.txt").write_text("1")
    (many / "deep" / "two.txt").write_text("22")
    root = "rows-of-one-upload"
    places = [
        up.remote.upload_file(path, filename_root=root)[1] for path in (many / "one.txt", many / "deep" / "two.txt")
    ]
    assert [place.rpartition("/")[0].rpartition("/")[2] for place in places] == [root, root]
    large = tmp_path / "large.bin"
    large.write_bytes(b"\0" * (20 * 1024 * 1024))
    _, location = up.remote.upload_file(large)
    up.download(location, tmp_path / "back.bin")
    assert (tmp_path / "back.bin").stat().st_size == large.stat().st_size
    flows = up.program("rows_of_workflows")
    assert up.value(flows.read_files, file=str(many / "one.txt"), folder=str(many)) == "1"


def test_119_a_project_a_is_made_and_runs_at_once(up: Any, tmp_path: Path) -> None:
    up.flyte("init", "my_project", cwd=tmp_path)
    made = tmp_path / "my_project"
    assert (made / "README.md").is_file()
    programs = [path for path in made.rglob("*.py") if "@workflow" in path.read_text()]
    assert programs
    out = tmp_path / "serialized"
    up.flyte("serialize", "-f", str(out), str(programs[0]), cwd=made)
    assert {path.suffix for path in out.iterdir()} == {".pb"}


def test_119_a_project_b_has_its_images_built(up: Any, tmp_path: Path) -> None:
    program = (
        "from flyte_kit import ImageSpec, task\n\n\n@task(container_image=ImageSpec(name='mine'))\ndef one() -> int:\n"
    )
    (tmp_path / "one.py").write_text(program + "    return 1\n")
    up.flyte("build", "rows_of_workflows.py", "chain")
    for option in ((), ("--fast",)):
        [image] = json.loads(up.flyte("build", "-o", "json", *option, "one.py", "one", cwd=tmp_path))["images"]
        assert image["image"].startswith("mine:")


def test_097_errors_have_classes_of_their_own(up: Any, folder: Path) -> None:
    with pytest.raises(FlyteEntityNotExistException, match="nowhere"):
        up.remote.fetch_task(name="nowhere", version="1")
    with pytest.raises(FlyteEntityNotExistException, match="nothing-ran"):
        up.remote.fetch_execution(name="nothing-ran")
    flows = up.program("rows_of_workflows")
    registered = up.remote.register_script(flows.chain)
    again = up.remote.register_script(flows.chain)
    assert registered.id == again.id
    with pytest.raises(FlyteInvalidInputException, match="different structure"):
        up.remote.register_script(up.program("rows_of_workflows").chain, version=registered.id.version, envs={"A": "1"})
