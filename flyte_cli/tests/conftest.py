"""A real `flyte up` for tests of the commands, and tasks that are shell scripts."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc
import pytest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, WorkflowExecutionGetRequest
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, Identifier, WorkflowExecutionIdentifier
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from command_here import ASKING, run_here
from flyte_up import Server, free_ports, start_up
from registering import WHERE, execution_request, node, task_request, workflow_request

TERMINAL = {WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED}


@dataclass
class Installation:
    """A running server, and what a user does with it."""

    server: Server
    stub: AdminServiceStub

    def flyte(self, *arguments: str, code: int = 0, seconds: float = 30, **variables: str) -> str:
        """Run `flyte` and return its stdout; with another exit code than 0 its stderr."""
        if arguments[0] in ASKING:
            changed = {name: value or None for name, value in self._variables(variables).items()}
            done = run_here(arguments, changed, seconds)
        else:
            process = self.start(*arguments, **variables)
            out, err = process.communicate(timeout=seconds)
            done = subprocess.CompletedProcess(arguments, process.returncode, out, err)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stderr if code else done.stdout

    def _variables(self, given: dict[str, str]) -> dict[str, str]:
        return {"FLYTECTL_CONFIG": str(self.server.data / "config.yaml"), **given}

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start `flyte` in a process of its own."""
        known = {**os.environ, **self._variables(variables)}
        return subprocess.Popen(
            [sys.executable, "-m", "flyte_cli", *arguments],
            env={name: value for name, value in known.items() if value},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self, typed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `flyte` on a terminal, on which somebody types."""
        terminal, stdin = pty.openpty()
        os.write(terminal, typed.encode())
        try:
            return subprocess.run(
                [sys.executable, "-m", "flyte_cli", *arguments],
                env={**os.environ, "FLYTECTL_CONFIG": str(self.server.data / "config.yaml")},
                stdin=stdin,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        finally:
            os.close(terminal)
            os.close(stdin)

    def register(self, name: str, *scripts: str, retries: int = 0) -> None:
        """Register a workflow that runs shell scripts one after the other: nodes n0, n1, …"""
        nodes = []
        for number, script in enumerate(scripts):
            task = task_request(f"{name}.task{number}")
            template = task.spec.template
            template.interface.CopyFrom(TypedInterface())
            template.container.command[:] = ["/bin/sh", "-c", script]
            template.metadata.retries.retries = retries
            self.stub.CreateTask(task)
            step = node(f"n{number}", task.id.name, after=(f"n{number - 1}",) if number else ())
            step.ClearField("inputs")
            nodes.append(step)
        workflow = workflow_request(name, nodes)
        workflow.spec.template.interface.CopyFrom(TypedInterface())
        workflow.spec.template.ClearField("outputs")
        self.stub.CreateWorkflow(workflow)
        plan = launch_plan(name)
        plan.spec.workflow_id.CopyFrom(workflow.id)
        self.stub.CreateLaunchPlan(plan)

    def launch(self, workflow: str, name: str) -> str:
        request: ExecutionCreateRequest = execution_request(workflow, name, {})
        self.stub.CreateExecution(request)
        return name

    def phase(self, name: str) -> int:
        wanted = WorkflowExecutionIdentifier(name=name, **WHERE)
        phase: int = self.stub.GetExecution(WorkflowExecutionGetRequest(id=wanted)).closure.phase
        return phase

    def wait(self, name: str, seconds: float = 20) -> str:
        wait_for(lambda: self.phase(name) in TERMINAL, seconds)
        return WorkflowExecution.Phase.Name(self.phase(name))


def launch_plan(name: str) -> LaunchPlanCreateRequest:
    return LaunchPlanCreateRequest(id=Identifier(resource_type=LAUNCH_PLAN, name=name, version="1", **WHERE))


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds."""
    return wait_for


@pytest.fixture
def installed() -> Callable[[Server], Installation]:
    """Make an installation of a server that a test has started."""
    return lambda up: Installation(up, AdminServiceStub(grpc.insecure_channel(f"127.0.0.1:{up.ports[0]}")))


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    server = start_up(tmp_path_factory.mktemp("cli") / "data", free_ports(3), sys.executable)
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        yield Installation(server, AdminServiceStub(channel))
    assert server.stop() == 0


@pytest.fixture
def channel(up: Installation) -> Iterator[grpc.Channel]:
    """A channel for stubs of other services."""
    with grpc.insecure_channel(f"127.0.0.1:{up.server.ports[0]}") as channel:
        yield channel


@pytest.fixture(scope="session")
def broken(up: Installation) -> str:
    """An execution whose second node failed the way Python does."""
    trace = (
        "Traceback (most recent call last):\\n  File \\042/opt/a-rather-long-path/to/some/site-packages/program.py\\042"
    )
    script = f"printf '{trace}, line 1\\nValueError: the <b>boiler</b> is cold\\n\\n'; exit 1"
    up.register("breaks", "echo all is well", script)
    up.launch("breaks", "broken")
    assert up.wait("broken") == "FAILED"
    return "broken"


PROGRAM = """
from dataclasses import dataclass

from flyte_kit import Deck, Resources, task, workflow
from flyte_kit.types.file import FlyteFile


@dataclass
class Point:
    x: int
    y: str


@task(requests=Resources(cpu="1", mem="100Mi"), environment={"API_TOKEN": "hush", "MODE": "fast"}, enable_deck=True)
def write(n: int) -> FlyteFile:
    Deck("mine", "<b>shown in the deck</b>")
    with open("out.txt", "w") as file:
        file.write("x" * n)
    print("wrote", n)
    return FlyteFile("out.txt")


@task
def make(n: int) -> Point:
    print("made", n)
    return Point(n, "why")


@workflow
def inner(n: int) -> FlyteFile:
    return write(n=n)


@workflow
def outer(n: int = 3) -> tuple[FlyteFile, Point]:
    return inner(n=n), make(n=n)
"""


@pytest.fixture(scope="session")
def nested(up: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An execution of Python tasks, one of them in a sub-workflow, with a file, a dataclass and a deck: node n0 is the
    sub-workflow and n0-0-n0 its task."""
    program = tmp_path_factory.mktemp("program") / "shapes.py"
    program.write_text(PROGRAM)
    up.flyte("run", "--remote", "--wait", "--name", "nested1", str(program), "outer", "--n", "5", seconds=90)
    return "nested1"
