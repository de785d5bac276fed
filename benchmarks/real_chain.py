"""Runs in the environment with stock flytekit: the floor of a real task, and a chain of them on `flyte up`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from flytekit import task, workflow
from flytekit.configuration import Config
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import LiteralMap
from flytekit.remote import FlyteRemote


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


def floor(rounds: int = 20) -> float:
    """Milliseconds of: fork this warm process, read inputs.pb, run the task, write outputs.pb."""
    from flyteidl.core.literals_pb2 import LiteralMap as Message

    context = FlyteContextManager.current_context()
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = Path(folder) / "inputs.pb", Path(folder) / "outputs.pb"
        one = TypeEngine.to_literal(context, 1, int, TypeEngine.to_literal_type(int))
        inputs.write_bytes(LiteralMap({"x": one}).to_flyte_idl().SerializeToString())
        for _ in range(rounds):
            begin = time.perf_counter()
            child = os.fork()
            if child == 0:
                message = Message.FromString(inputs.read_bytes())
                answer = step.dispatch_execute(context, LiteralMap.from_flyte_idl(message))
                outputs.write_bytes(answer.to_flyte_idl().SerializeToString())
                os._exit(0)
            os.waitpid(child, 0)
            spent.append((time.perf_counter() - begin) * 1000)
    return sorted(spent)[len(spent) // 2]


def run(config: str, length: str) -> float:
    """Milliseconds per node of a chain, by the control plane's own times."""
    remote = FlyteRemote(Config.auto(config), default_project="flytesnacks", default_domain="development")
    wanted = {"5": chain5, "20": chain20}[length]
    registered = remote.fast_register_workflow(wanted, version=f"bench{length}")
    run = remote.wait(remote.execute(registered, inputs={"x": 0}), poll_interval=timedelta(seconds=0.2))
    assert run.closure.phase == 4, run.error
    return run.closure.duration.total_seconds() * 1000 / int(length)


if __name__ == "__main__":
    print(floor() if sys.argv[1] == "floor" else run(*sys.argv[2:]))
