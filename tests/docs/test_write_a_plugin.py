"""The page's files make a plugin that works: its own tests pass, and the platform runs a task with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_core.phases import TaskPhase
from flyte_core.plugins import PluginManager
from flyte_core.task_types import PhaseInfo
from flyte_core.testing.conformance import sample_context
from flyte_core.testing.fakes import MemoryCluster, MemoryStore
from flyte_propeller.host.plugin_host import PluginHost
from flyte_propeller.host.quarantine import FaultLimits

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "write-a-plugin.md"
FILE = re.compile(r"```\w+\n# file: (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write the page's files, and the metadata that an installer would make of them."""
    for name, text in FILE.findall(PAGE.read_text()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    declared = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    info = tmp_path / "src" / "flyte_plugin_join-1.0.0.dist-info"
    info.mkdir()
    requires = "".join(f"Requires-Dist: {requirement}\n" for requirement in declared["dependencies"])
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: 1.0.0\n{requires}")
    (info / "entry_points.txt").write_text(
        "\n".join(
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in named.items())
            for group, named in declared["entry-points"].items()
        )
    )
    return tmp_path


def test_the_pages_tests_pass(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "tests"]
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    run = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout


def text(value: str) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(string_value=value)))


async def test_the_platform_runs_a_task_with_the_pages_plugin(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project / "src"))
    store = MemoryStore("s3://")
    plugins = PluginManager.scan({"join": {"separator": "-"}})
    host = PluginHost(plugins, MemoryCluster(), store, output_limit=10_000)
    outputs = VariableMap(variables={"o0": Variable(type=LiteralType(simple=SimpleType.STRING))})
    template = TaskTemplate(id=Identifier(name="t"), type="join", interface=TypedInterface(outputs=outputs))
    inputs = LiteralMap(literals={"a": text("x"), "b": text("y")})
    context = sample_context(template, inputs=inputs)
    assert await host.launch(context) == PhaseInfo(TaskPhase.SUCCESS)
    written = LiteralMap.FromString(await store.read(f"{context.paths.output_prefix}/outputs.pb"))
    assert written.literals["o0"] == text("x-y")


def test_the_page_states_the_limits_that_there_are() -> None:
    page = " ".join(PAGE.read_text().split())
    limits = FaultLimits()
    assert f"({limits.pure_seconds:g} s for pure hooks, {limits.io_seconds:g} s for those with I/O)" in page
    assert (limits.in_a_row, limits.rest.total_seconds()) == (10, 300)
    assert "Ten in a row of one hook, and the plugin is not called for five minutes" in page
