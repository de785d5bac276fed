"""Plugins as real installed distributions, and a host over them with fake ports."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
from flyteidl.core.tasks_pb2 import Container, TaskTemplate
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_core.plugins import PluginManager
from flyte_core.task_types import TaskContext, TaskPaths
from flyte_core.testing.fakes import ManualClock, MemoryCluster, MemoryStore
from flyte_propeller.host.plugin_host import PluginHost
from flyte_propeller.host.quarantine import FaultLimits

OWNER = {"apiVersion": "flyte.lyft.com/v1alpha1", "kind": "FlyteWorkflow", "name": "ex", "uid": "owner-1"}
PRELUDE = """
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
from flyte_core.cluster import POD, Kind
from flyte_core.errors import *
from flyte_core.hookspecs import hookimpl
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, RemoteJob

def pod(ctx):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"mine": "1"}}, "spec": {}}

def by_phase(ctx, resource):
    phases = {"Running": TaskPhase.RUNNING, "Succeeded": TaskPhase.SUCCESS, "Failed": TaskPhase.RETRYABLE_FAILURE}
    phase = phases.get((resource.get("status") or {}).get("phase"), TaskPhase.QUEUED)
    error = ExecutionError(code="Error", message="exit 1", kind=ExecutionError.USER)
    return PhaseInfo(phase, error=error if phase is TaskPhase.RETRYABLE_FAILURE else None)

class Resource:
    plugin_id = "NAME"
    task_types = ("NAME",)
    kind = POD
    name_limit = 40
    def build(self, ctx):
        return pod(ctx)
    def observe(self, ctx, resource):
        return by_phase(ctx, resource)

TASK_TYPE = Resource

@hookimpl
def flyte_task_types(ctx):
    return [TASK_TYPE()]
"""


@dataclass
class Bench:
    """A host with everything that it touches."""

    host: PluginHost
    cluster: MemoryCluster
    store: MemoryStore
    clock: ManualClock

    async def write(self, ctx: TaskContext, name: str, data: bytes) -> None:
        """Write what the task would have left."""
        await self.store.write(f"{ctx.paths.output_prefix}/{name}", data)


Install = Callable[..., None]
Open = Callable[..., Bench]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a plugin: a module and its metadata, found as any installed package is."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, code: str = "", *, prelude: str = PRELUDE) -> None:
        module = f"host_plugin_{name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(prelude.replace("NAME", name) + textwrap.dedent(code))
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[flyte.plugins]\n{name} = {module}\n\n[flyte.task_types]\n{name} = {name}\n"
        )
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


@pytest.fixture
def bench() -> Open:
    """Open a host over what is installed by then."""

    def open_bench(**limits: Any) -> Bench:
        clock = ManualClock()
        cluster, store = MemoryCluster(clock=clock), MemoryStore(clock=clock)
        host = PluginHost(
            PluginManager.scan(), cluster, store, output_limit=1000, clock=clock, limits=FaultLimits(**limits)
        )
        return Bench(host, cluster, store, clock)

    return open_bench


def integer(value: int) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(integer=value)))


def outputs_of(**values: Literal) -> bytes:
    return bytes(LiteralMap(literals=values).SerializeToString())


def context(task_type: str, *, outputs: tuple[str, ...] = ("o0",), **changes: Any) -> TaskContext:
    """Return the context of a first attempt whose task has these integer outputs."""
    variables = {name: Variable(type=LiteralType(simple=SimpleType.INTEGER)) for name in outputs}
    template = TaskTemplate(
        id=Identifier(project="p", domain="d", name="My.task", version="v"),
        type=task_type,
        container=Container(image="image", args=["run"]),
        interface=TypedInterface(outputs=VariableMap(variables=variables)),
    )
    execution = WorkflowExecutionIdentifier(project="p", domain="d", name="ex")
    return TaskContext(
        id=TaskExecutionIdentifier(
            task_id=template.id, node_execution_id=NodeExecutionIdentifier(node_id="n0", execution_id=execution)
        ),
        template=template,
        generated_name="ex-n0-0",
        namespace="p-d",
        workflow_id="p:d:w",
        paths=TaskPaths("mem://b/n0/data/inputs.pb", "mem://b/n0/data/0", "mem://b/raw", "mem://b/raw/_cp"),
        owner=OWNER,
        labels={"execution-id": "ex"},
        **changes,
    )
