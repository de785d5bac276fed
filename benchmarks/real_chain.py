"""Runs in the environment with stock flytekit: the floor of a real task, and a chain of them on `flyte up`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import s3fs
import yaml
from flytekit import task, workflow
from flytekit.bin.entrypoint import execute_task_cmd
from flytekit.configuration import Config
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import LiteralMap
from flytekit.remote import FlyteRemote

WHERE = "s3://flyte/bench"
WARM = s3fs.__version__
"""Imported beforehand, as a warm parent has it."""


@task
def step(x: int) -> int:
    """Count on."""
    return x + 1


@workflow
def chain5(x: int = 0) -> int:
    """Five in a row."""
    for _ in range(5):
        x = step(x=x)
    return x


@workflow
def chain20(x: int = 0) -> int:
    """Twenty in a row."""
    for _ in range(20):
        x = step(x=x)
    return x


def in_child(work: Callable[[], object]) -> float:
    """Fork this warm process, do the work there; return the milliseconds until it is reaped."""
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return (time.perf_counter() - begin) * 1000


def floor(config: str, rounds: int = 15) -> float:
    """Milliseconds of: fork a warm process, which reads inputs.pb, runs the task and writes outputs.pb.

    Reading and writing is flytekit's own, from the object store of `flyte up`; no cluster and no control plane.
    """
    connection = yaml.safe_load(Path(config).read_text())["storage"]["connection"]
    os.environ["FLYTE_AWS_ENDPOINT"] = connection["endpoint"]
    os.environ["FLYTE_AWS_ACCESS_KEY_ID"] = connection["access-key"]
    os.environ["FLYTE_AWS_SECRET_ACCESS_KEY"] = connection["secret-key"]
    sys.argv = ["pyflyte-execute", "--inputs", f"{WHERE}/inputs.pb", "--output-prefix", f"{WHERE}/out"]
    sys.argv += [
        "--raw-output-data-prefix",
        f"{WHERE}/raw",
        "--checkpoint-path",
        f"{WHERE}/c",
        "--prev-checkpoint",
        "x",
    ]
    sys.argv += ["--resolver", "flytekit.core.python_auto_container.default_task_resolver", "--"]
    sys.argv += ["task-module", "real_chain", "task-name", "step"]
    in_child(write_inputs)
    spent = [in_child(execute_task_cmd) for _ in range(rounds)]
    return sorted(spent)[len(spent) // 2]


def write_inputs() -> None:
    """Put inputs.pb with x = 1 into the object store."""
    context = FlyteContextManager.current_context()
    one = TypeEngine.to_literal(context, 1, int, TypeEngine.to_literal_type(int))
    with tempfile.NamedTemporaryFile() as file:
        file.write(LiteralMap({"x": one}).to_flyte_idl().SerializeToString())
        file.flush()
        context.file_access.put_data(file.name, f"{WHERE}/inputs.pb")


def run(config: str, length: str) -> float:
    """Milliseconds per node of a chain, by the control plane's own times."""
    remote = FlyteRemote(Config.auto(config), default_project="flytesnacks", default_domain="development")
    wanted = {"5": chain5, "20": chain20}[length]
    registered = remote.fast_register_workflow(wanted, version=f"bench{length}")
    run = remote.wait(remote.execute(registered, inputs={"x": 0}), poll_interval=timedelta(seconds=0.2))
    assert run.closure.phase == 4, run.error
    return run.closure.duration.total_seconds() * 1000 / int(length)


if __name__ == "__main__":
    print(floor(sys.argv[2]) if sys.argv[1] == "floor" else run(*sys.argv[2:]))
