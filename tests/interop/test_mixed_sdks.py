"""Stock flytekit and flyte_kit on one `flyte up`: one registers, the other launches, and workflows call tasks of both.

Both sides run the same programs, `half.py` and `mixed.py`: as written with flytekit, and with the imports changed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flyte_up import PROGRAMS, Server, Stock, free_ports, start_up

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]
WHERE = ("-p", "flytesnacks", "-d", "development")
KIT_IMAGE = "kit/tasks:v1"
MADE = {
    "text": "3 0.75 n3 True 2024-02-03 0:03:00",
    "point": "p3=3",
    "setting": "t3@1.5",
    "file": "file 3",
    "folder": ["0.txt", "1.txt", "2.txt"],
    "frame": {"n": [0, 1, 2], "square": [0, 1, 4]},
}
PASSED = ["3 0.75 n3 True 2024-02-03 0:03:00", "p3=3", "t3@1.5", "file 3", "0.txt 1.txt 2.txt", "['n', 'square'] 5"]
READ = ["7 0.5 given True 2024-05-06 1:00:00", "here=1", "a@0.5", "from here", "x.txt y.txt", "['n', 'square'] 25"]
LAUNCH_MADE = """
    import os
    from {sdk} import FlyteDirectory, FlyteFile
    import pandas as pd
    import {module} as half
    workflow = remote.fetch_workflow(name="{other}.made", version="m1")
    done = remote.wait(remote.execute(workflow, inputs={{"n": 3}}))
    result["error"] = done.error.message if done.error else None
    out = done.outputs
    result["text"] = out.get("o1")
    point, setting = out.get("o2", as_type=half.Point), out.get("o3", as_type=half.Setting)
    result["point"], result["setting"] = f"{{point.label}}={{point.x}}", f"{{setting.tags[0]}}@{{setting.rate}}"
    result["file"] = open(out.get("o4", as_type=FlyteFile).download()).read()
    result["folder"] = sorted(os.listdir(out.get("o5", as_type=FlyteDirectory).download()))
    result["frame"] = out.get("o6", as_type=pd.DataFrame).to_dict("list")
"""
LAUNCH_GIVEN = """
    import os, tempfile
    from datetime import datetime, timezone
    from pathlib import Path
    from {sdk} import FlyteDirectory, FlyteFile
    import pandas as pd
    import {module} as half
    folder = Path(tempfile.mkdtemp())
    (folder / "x.txt").write_text("x"), (folder / "y.txt").write_text("y")
    (folder.parent / "here.txt").write_text("from here")
    inputs = {{
        "n": 7,
        "at": datetime(2024, 5, 6, tzinfo=timezone.utc),
        "p": half.Point(x=1, label="here"),
        "s": half.Setting(rate=0.5, tags=["a"]),
        "f": FlyteFile(str(folder.parent / "here.txt")),
        "d": FlyteDirectory(str(folder)),
        "t": pd.DataFrame({{"n": [3, 4], "square": [9, 16]}}),
    }}
    workflow = remote.fetch_workflow(name="{other}.given", version="m1")
    done = remote.wait(remote.execute(workflow, inputs=inputs, type_hints={{
        "p": half.Point, "s": half.Setting, "f": FlyteFile, "d": FlyteDirectory, "t": pd.DataFrame}}))
    result["error"] = done.error.message if done.error else None
    result["read"] = [done.outputs.get(f"o{{index}}") for index in range(6)]
"""
LAUNCH_MIXED = """
    workflow = remote.fetch_workflow(name="{module}.{name}", version="m2")
    done = remote.wait(remote.execute(workflow, inputs={{"n": 3}}))
    result["error"] = done.error.message if done.error else None
    result["passed"] = [done.outputs.get(f"o{{index}}") for index in range(6)]
"""


@dataclass
class Kit:
    """flyte_kit as a user runs it: in this environment, its tasks too."""

    folder: Path
    server: Server

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.server.data.parent),
            "FLYTECTL_CONFIG": str(self.server.data / "config.yaml"),
            "FLYTE_INTERNAL_IMAGE": KIT_IMAGE,
        }

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def remote(self, body: str) -> dict[str, object]:
        """Run code with a FlyteRemote named `remote`; return the dict that it leaves in `result`."""
        script = (
            "import json\nfrom flyte_kit import FlyteRemote\n"
            'remote = FlyteRemote.auto(default_project="flytesnacks", default_domain="development")\n'
            "result = {}\n" + textwrap.dedent(body) + '\nprint("\\nRESULT " + json.dumps(result, default=str))\n'
        )
        answer: dict[str, object] = json.loads(self.run(sys.executable, "-c", script).rsplit("RESULT ", 1)[1])
        return answer


@dataclass
class Both:
    """Both SDKs, each with its programs in a folder of its own."""

    stock: Stock
    stock_folder: Path
    kit: Kit

    def launch_by_stock(self, body: str) -> dict[str, object]:
        lines = f"import sys\nsys.path.insert(0, {str(self.stock_folder)!r})\n" + textwrap.dedent(body)
        waits = "remote.wait(poll_interval=timedelta(seconds=1), execution="
        return self.stock.remote(lines.replace("remote.wait(", waits))


def write_programs(folder: Path, sdk: str, own: str, other: str) -> Path:
    """Write both programs as modules of one side, their imports changed to that side's SDK."""
    folder.mkdir()
    for name in ("half", "mixed"):
        text = (PROGRAMS / f"{name}.py").read_text().replace("from flytekit ", f"from {sdk} ")
        text = text.replace("import half\n", f"import {own}_half as half\n").replace("from half ", f"from {own}_half ")
        text = text.replace("OTHER", f"{other}_half").replace('"VERSION"', '"m1"')
        (folder / f"{own}_{name}.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def both(stock_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Register both halves, each with its own SDK, then the workflows that mix them."""
    folder = tmp_path_factory.mktemp("mixed")
    up = start_up(folder / "data", free_ports(3), stock_python, "--image", f"kit/*={sys.executable}")
    stock_folder = write_programs(folder / "stock", "flytekit", "stock", "kit")
    kit = Kit(write_programs(folder / "kit", "flyte_kit", "kit", "stock"), up)
    sides = Both(Stock(stock_python, up), stock_folder, kit)
    for module, version in (("half", "m1"), ("mixed", "m2")):
        sides.stock.pyflyte("register", *WHERE, "--version", version, f"stock_{module}.py", cwd=stock_folder)
        kit.remote(f"""
            import kit_{module} as module
            from flyte_kit.core.workflow import WorkflowBase
            for workflow in [each for each in vars(module).values() if isinstance(each, WorkflowBase)]:
                remote.register_script(workflow, version="{version}")
        """)
    yield sides
    assert up.stop() == 0


def test_what_flytekit_registered_is_launched_by_flyte_kit_and_its_outputs_read(both: Both) -> None:
    answer = both.kit.remote(LAUNCH_MADE.format(sdk="flyte_kit", module="kit_half", other="stock_half"))
    assert answer == {"error": None, **MADE}


def test_what_flytekit_registered_takes_inputs_of_flyte_kit(both: Both) -> None:
    answer = both.kit.remote(LAUNCH_GIVEN.format(sdk="flyte_kit", module="kit_half", other="stock_half"))
    assert answer == {"error": None, "read": READ}


def test_the_flyte_command_runs_a_workflow_a_task_and_a_plan_that_flytekit_registered(both: Both) -> None:
    flyte = (sys.executable, "-m", "flyte_cli", "run", "--follow", "-o", "json")
    folder = both.kit.folder / "given"
    folder.mkdir()
    (folder / "x.txt").write_text("from the command")
    run = both.kit.run(*flyte, "remote-workflow", "stock_half.made:m1", "--n", "2")
    assert json.loads(run)["outputs"]["o1"] == "2 0.5 n2 False 2024-02-02 0:02:00"
    plan = both.kit.run(*flyte, "remote-launchplan", "stock_half.made:m1", "--n", "2")
    assert json.loads(plan)["outputs"]["o2"] == {"x": 2, "label": "p2"}
    point = both.kit.run(*flyte, "remote-task", "stock_half.read_point:m1", "--p", '{"x": 4, "label": "q"}')
    assert json.loads(point)["outputs"] == {"o0": "q=4"}
    file = both.kit.run(*flyte, "remote-task", "stock_half.read_file:m1", "--f", str(folder / "x.txt"))
    assert json.loads(file)["outputs"] == {"o0": "from the command"}
    listed = both.kit.run(*flyte, "remote-task", "stock_half.read_folder:m1", "--d", str(folder))
    assert json.loads(listed)["outputs"] == {"o0": "x.txt"}


def test_what_flyte_kit_registered_is_launched_by_flytekit_and_its_outputs_read(both: Both) -> None:
    answer = both.launch_by_stock(LAUNCH_MADE.format(sdk="flytekit", module="stock_half", other="kit_half"))
    assert answer == {"error": None, **MADE}


def test_what_flyte_kit_registered_takes_inputs_of_flytekit(both: Both) -> None:
    answer = both.launch_by_stock(LAUNCH_GIVEN.format(sdk="flytekit", module="stock_half", other="kit_half"))
    assert answer == {"error": None, "read": READ}


def test_pyflyte_runs_a_workflow_and_a_task_that_flyte_kit_registered(both: Both) -> None:
    pyflyte = both.stock.pyflyte
    run = ("run", *WHERE, "--wait", "--poll-interval", "1")
    assert "has succeeded" in pyflyte(*run, "remote-workflow", "kit_half.made:m1", "--n", "2")
    point = json.dumps({"x": 4, "label": "q"})
    assert "has succeeded" in pyflyte(*run, "remote-task", "kit_half.read_point:m1", "--p", point)
    assert "has succeeded" in pyflyte(*run, "remote-launchplan", "kit_half.made:m1", "--n", "2")


@pytest.mark.parametrize("name", ["ours_to_theirs", "theirs_to_ours"])
def test_a_workflow_of_flytekit_with_half_its_tasks_of_flyte_kit_runs(both: Both, name: str) -> None:
    answer = both.launch_by_stock(LAUNCH_MIXED.format(module="stock_mixed", name=name))
    assert answer == {"error": None, "passed": PASSED}


@pytest.mark.parametrize("name", ["ours_to_theirs", "theirs_to_ours"])
def test_a_workflow_of_flyte_kit_with_half_its_tasks_of_flytekit_runs(both: Both, name: str) -> None:
    answer = both.kit.remote(LAUNCH_MIXED.format(module="kit_mixed", name=name))
    assert answer == {"error": None, "passed": PASSED}
