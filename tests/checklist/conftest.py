"""One running `flyte up` for all rows of the checklist, and the programs that users would have."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import flyte_up
from flyte_kit.configuration import Config
from flyte_kit.remote import FlyteRemote
from flyte_kit.remote.executions import FlyteNodeExecution, FlyteWorkflowExecution

PROGRAMS = Path(__file__).parent / "programs"
NOT_A_TERMINAL = {"NO_COLOR": "1", "TERM": "dumb"}


@dataclass
class Running:
    """A running server, a client of it, and the `flyte` command."""

    server: flyte_up.Server
    remote: FlyteRemote
    scheduled_at: float = 0.0

    @property
    def config(self) -> str:
        return str(self.server.data / "config.yaml")

    def run(self, entity: Any, seconds: float = 60, **options: Any) -> FlyteWorkflowExecution:
        """Run something to its end; whatever end that is."""
        inputs = options.pop("inputs", {})
        return self.remote.wait(self.remote.execute(entity, inputs=inputs, **options), timeout=seconds)

    def value(self, entity: Any, output: str = "o0", **inputs: Any) -> Any:
        """Run something that must succeed, and return an output."""
        execution = self.run(entity, inputs=inputs)
        assert execution.is_successful, execution.error
        return execution.outputs.get(output)

    def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something that is about to happen."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.05)

    def program(self, name: str) -> Any:
        """Import one of the programs."""
        return import_module(name)

    def download(self, location: str, path: Path) -> None:
        """Copy an object to a file, as a user whose configuration has the keys of the store."""
        self.remote.file_access.get_data(location, str(path))

    def pods(self, execution: str) -> list[dict[str, Any]]:
        """Return the metadata of the pods that an execution has now; waits for the first."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            rows = "SELECT metadata FROM objects WHERE kind = 'Pod' AND name LIKE ?"
            with closing(sqlite3.connect(self.server.data / "cluster" / "cluster.db")) as cluster:
                found[:] = [json.loads(row[0]) for row in cluster.execute(rows, [f"{execution}-%"])]
            return bool(found)

        self.until(there)
        return found

    def flyte(
        self,
        *arguments: str,
        code: int = 0,
        seconds: float = 60,
        given: str = "",
        cwd: Path = PROGRAMS,
        **variables: str,
    ) -> str:
        """Run `flyte`, in the folder of the programs or another; return what it printed, stderr too when it fails."""
        environment = {**os.environ, **NOT_A_TERMINAL, "FLYTECTL_CONFIG": self.config, **variables}
        done = subprocess.run(
            [sys.executable, "-m", "flyte_cli", *arguments],
            cwd=cwd,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr


@pytest.fixture(scope="session")
def program() -> Iterator[Callable[[str], Any]]:
    """Import one of the programs."""
    sys.path.insert(0, str(PROGRAMS))
    yield import_module
    sys.path.remove(str(PROGRAMS))


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], Any]) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("checklist") / "data"
    server = flyte_up.start_up(data, flyte_up.free_ports(3), sys.executable)
    running = Running(server, FlyteRemote(Config.auto(str(data / "config.yaml")), "flytesnacks", "development"))
    _begin_schedules(running, program("rows_of_plans"))
    yield running
    running.remote.close()
    assert server.stop() == 0


def _begin_schedules(up: Running, plans: Any) -> None:
    """Activate what is looked at a minute later; one of the plans has as many executions as it may have."""
    up.remote.register_script(plans.every_minute)
    up.remote.activate_launchplan(up.remote.register_script(plans.one_at_a_time).id)
    up.remote.execute(plans.one_at_a_time, inputs={"at": datetime.now(UTC), "seconds": 300.0})
    up.scheduled_at = time.monotonic()


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("FLYTE_LOCAL_CACHE_DIR", str(tmp_path / "local-cache"))
    if "up" in request.fixturenames:
        monkeypatch.setenv("FLYTECTL_CONFIG", request.getfixturevalue("up").config)


@pytest.fixture(scope="session")
def nodes() -> Callable[[FlyteWorkflowExecution | FlyteNodeExecution], dict[str, str]]:
    """Return the phase of every node of an execution, its own and those inside of others."""

    def found(execution: FlyteWorkflowExecution | FlyteNodeExecution) -> dict[str, str]:
        result = {}
        for name, node in execution.node_executions.items():
            result |= {name: node.phase, **found(node)}
        return result

    return found
