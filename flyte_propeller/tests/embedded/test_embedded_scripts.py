"""Console scripts, run in a fork of the warm parent: they must not notice that the interpreter is not their own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.adapters.embedded import EmbeddedCluster
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable
from flyte_propeller.adapters.embedded.warm import WarmParent

from .conftest import Pods, exit_code

MODULE = """
import atexit, os, signal, sys, tempfile, threading, time

def look():
    atexit.register(print, "at the end")
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
    print(sys.argv)
    print(sorted(os.listdir("/proc/self/fd"))[:-1], os.readlink("/proc/self/fd/0"))
    print(signal.getsignal(signal.SIGPIPE).name, signal.getsignal(signal.SIGTERM).name)
    print(os.environ["GIVEN"], "OF_THE_WARM" in os.environ, sys.path[0] == os.environ["PYTHONPATH"])
    print("archive" in sys.modules, any(path.endswith("embedded") for path in sys.path))

def fail(): raise ValueError("no")
def code(): sys.exit(7)
def message(): sys.exit("a message")
def number(): return 3
def nothing(): return None
def half(): print("half", end="")
def folders():
    import flyte_kit
    print(tempfile.gettempdir(), os.environ["TMPDIR"], flyte_kit.FOLDER, sep="\\n")
"""
PREIMPORTED = "import tempfile\nFOLDER = tempfile.mkdtemp()\n"
SCRIPTS = ("look", "fail", "code", "message", "number", "nothing", "half", "folders")


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return the interpreter of an environment with some console scripts."""
    home = Path(sys.base_prefix) / "bin"
    environment = tmp_path / "env"
    site = environment / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (site / "scripted-1.0.dist-info").mkdir(parents=True)
    (site / "scripted.py").write_text(MODULE)
    (site / "flyte_kit.py").write_text(PREIMPORTED)
    (site / "scripted-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted\nVersion: 1.0\n")
    points = "".join(f"s-{name} = scripted:{name}\n" for name in SCRIPTS)
    (site / "scripted-1.0.dist-info" / "entry_points.txt").write_text(f"[console_scripts]\n{points}")
    (environment / "bin").mkdir()
    (environment / "bin" / "python").symlink_to(home / f"python3.{sys.version_info.minor}")
    (environment / "pyvenv.cfg").write_text(f"home = {home}\n")
    return environment / "bin" / "python"


async def test_a_script_sees_what_a_fresh_process_sees(pods):
    given = [{"name": "GIVEN", "value": "g"}, {"name": "PYTHONPATH", "value": "/somewhere"}]
    pod = await pods.run("p", "s-look", "--x", "1", container={"env": given})
    assert pod["status"]["phase"] == "Succeeded", pods.log("p")
    assert pods.log("p").splitlines() == [
        "['s-look', '--x', '1']",
        "['0', '1', '2'] /dev/null",
        "SIG_IGN SIG_DFL",
        "g False True",
        "False False",
        "thread",
        "at the end",
    ]


@pytest.mark.parametrize(
    ("script", "code", "logged"),
    [
        ("fail", 1, "ValueError: no\n"),
        ("code", 7, ""),
        ("message", 1, "a message\n"),
        ("number", 3, ""),
        ("nothing", 0, ""),
        ("half", 0, "half"),
    ],
)
async def test_a_script_ends_as_in_an_interpreter_of_its_own(pods, script, code, logged):
    assert exit_code(await pods.run("p", f"s-{script}")) == code
    assert pods.log("p").endswith(logged)


async def test_a_script_is_ended_by_the_request_to_end(pods):
    await pods.running("p", "python", "-c", "import time; print('up', flush=True); time.sleep(100)")
    await pods.logged("p")
    await pods.delete("p", grace_seconds=20)


async def test_temporary_files_of_a_script_go_where_its_pod_is_told_and_those_of_the_warm_parent_with_it(
    tmp_path, python
):
    folder = tmp_path / "c"
    cluster = await EmbeddedCluster.open(folder, store=MemoryStore(), images=ImageTable((), Environment(python)))
    pods = Pods(cluster, MemoryStore(), folder)
    await pods.run("p", "s-folders")
    found, told, at_import = pods.log("p").splitlines()
    assert found == told
    assert Path(found).is_relative_to(folder / "attempts")
    assert Path(at_import).is_relative_to(folder / "warm")
    assert Path(at_import).is_dir()
    await cluster.close()
    assert list((folder / "warm").iterdir()) == []


async def test_temporary_files_of_a_killed_warm_parent_are_removed_by_the_next_server(tmp_path, python):
    folder = tmp_path / "c"
    cluster = await EmbeddedCluster.open(folder, store=MemoryStore(), images=ImageTable((), Environment(python)))
    pods = Pods(cluster, MemoryStore(), folder)
    await pods.run("p", "python", "-c", "import os; print(os.getppid())")
    os.kill(int(pods.log("p")), signal.SIGKILL)
    await cluster.close()
    assert len(list((folder / "warm").iterdir())) == 1
    cluster = await EmbeddedCluster.open(folder, store=MemoryStore(), images=ImageTable((), Environment(python)))
    assert list((folder / "warm").iterdir()) == []
    await cluster.close()


async def test_a_sealed_attempt_is_never_started(tmp_path, python):
    folder = AttemptFolder(tmp_path / "attempt")
    folder.create()
    folder.seal(["main"])
    parent = await WarmParent.start(python, tmp_path / "warm")
    request = {
        "id": "a/main",
        "claim": str(folder.claim_file("main")),
        "exit": str(folder.exit_file("main")),
        "argv": ["s-nothing"],
        "env": {},
        "cwd": str(folder.work),
        "folders": [str(folder.work)],
        "log": str(tmp_path / "log"),
        "log_limit": 1000,
        "memory": None,
    }
    assert not await parent.run(request, lambda _: pytest.fail("it has run"))
    await parent.end()
    assert not (tmp_path / "log").exists()


STOCK_TASK = """
import flytekit

@flytekit.task
def folders():
    files = flytekit.FlyteContextManager.current_context().file_access
    print("folders:", flytekit.current_context().working_directory, files.local_sandbox_dir)
"""


@pytest.mark.interop
async def test_folders_that_stock_flytekit_makes_for_a_task_go_with_its_pod(tmp_path):
    stock = os.environ.get("FLYTE_STOCK_PYTHON")
    if not stock:
        pytest.skip("FLYTE_STOCK_PYTHON names no environment with stock flytekit: run `nox -s interop`")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "stock_folders.py").write_text(STOCK_TASK)
    (tmp_path / "inputs.pb").write_bytes(b"")
    out = str(tmp_path / "out")
    resolver = "flytekit.core.python_auto_container.default_task_resolver"
    options = ["--inputs", str(tmp_path / "inputs.pb"), "--output-prefix", out, "--raw-output-data-prefix", out]
    loader = ["task-module", "stock_folders", "task-name", "folders"]
    folder = tmp_path / "c"
    cluster = await EmbeddedCluster.open(folder, store=MemoryStore(), images=ImageTable((), Environment(Path(stock))))
    pods = Pods(cluster, MemoryStore(), folder)
    env = [{"name": "PYTHONPATH", "value": str(tmp_path / "code")}]
    arguments = ["pyflyte-execute", *options, "--resolver", resolver, "--", *loader]
    pod = await pods.run("p", *arguments, container={"env": env})
    assert pod["status"]["phase"] == "Succeeded", pods.log("p")
    line = next(line for line in pods.log("p").splitlines() if line.startswith("folders:"))
    for made in line.split()[1:]:
        assert Path(made).is_relative_to(folder / "attempts" / pod["metadata"]["uid"] / "tmp")
    await pods.delete("p")
    await cluster.close()
