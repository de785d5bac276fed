"""Launch plans as nodes, gates and failure handlers of sub-workflows: stock flytekit against `flyte up`."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyte_up import Server, Stock, free_ports, start_up

pytestmark = pytest.mark.interop
PLACE = ("-p", "flytesnacks", "-d", "development")
TERMINAL = {"SUCCEEDED", "FAILED", "ABORTED"}


@pytest.fixture(scope="module")
def waiting(stock: Stock) -> Stock:
    stock.pyflyte("register", *PLACE, "--version", "w1", "waiting.py")
    return stock


class Api:
    """The REST gateway of a server."""

    def __init__(self, server: Server) -> None:
        self._base = f"{server.http}/api/v1"

    def call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._base}/{path}", data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def start(self, name: str, workflow: str, **inputs: Any) -> None:
        literals = {key: {"scalar": {"primitive": value}} for key, value in inputs.items()}
        plan = {"resourceType": "LAUNCH_PLAN", "project": "flytesnacks", "domain": "development", "version": "w1"}
        spec = {"launchPlan": {**plan, "name": f"waiting.{workflow}"}, "metadata": {}}
        body = {"project": "flytesnacks", "domain": "development", "name": name, "spec": spec}
        self.call("executions", {**body, "inputs": {"literals": literals}})

    def execution(self, name: str) -> Any:
        return self.call(f"executions/flytesnacks/development/{name}")

    def nodes(self, name: str, parent: str = "") -> dict[str, Any]:
        under = f"&uniqueParentId={parent}" if parent else ""
        listing = self.call(f"node_executions/flytesnacks/development/{name}?limit=100{under}")
        return {node["id"]["node_id"]: node for node in listing["node_executions"]}

    def child_of(self, name: str, node: str) -> str:
        metadata = self.nodes(name)[node]["closure"]["workflow_node_metadata"]
        return str((metadata.get("execution_id") or metadata["executionId"])["name"])

    def end(self, name: str) -> Any:
        return until(lambda: self._ended(name), f"{name} does not end")

    def _ended(self, name: str) -> Any:
        execution = self.execution(name)
        return execution if execution["closure"]["phase"] in TERMINAL else None


def until(look: Callable[[], Any], complaint: str, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)
    return found


@pytest.fixture
def api(waiting: Stock, server: Server) -> Api:
    return Api(server)


def test_launch_plans_run_within_launch_plans_with_fixed_and_default_inputs(waiting: Stock) -> None:
    answer = waiting.remote("""
        workflow = remote.fetch_workflow(name="waiting.grandparent", version="w1")
        run = remote.execute(workflow, inputs={"x": 4})
        done = remote.wait(run, poll_interval=timedelta(seconds=1))
        done = remote.sync_execution(done, sync_nodes=True)
        result["phase"] = done.closure.phase
        result["output"] = done.outputs["o0"]
        child = done.node_executions["n0"].workflow_executions[0]
        result["nesting"] = [done.spec.metadata.nesting, child.spec.metadata.nesting]
        result["mode"] = child.spec.metadata.mode
        result["node_outputs"] = done.node_executions["n0"].outputs["o0"]
    """)
    assert answer == {
        "phase": 4,
        "output": (4 * 2 + 3) + (10 * 2 + 5),
        "nesting": [0, 1],
        "mode": 4,
        "node_outputs": 36,
    }


def test_the_end_of_a_child_is_noticed_at_once(api: Api) -> None:
    api.start("quick", "parent", x={"integer": 1})
    api.end("quick")
    child = api.execution(api.child_of("quick", "n0"))
    seen = api.nodes("quick")["n0"]["closure"]["updated_at"]
    assert _seconds(seen) - _seconds(child["closure"]["updated_at"]) < 1.0


def _seconds(stamp: str) -> float:
    minutes = float(stamp[14:16])
    return minutes * 60 + float(stamp[17:].rstrip("Z"))


def test_the_error_of_a_child_is_that_of_its_parent(api: Api) -> None:
    api.start("badone", "bad_parent", x={"integer": 7})
    closure = api.end("badone")["closure"]
    child = api.execution(api.child_of("badone", "n0"))["closure"]
    assert closure["phase"] == child["phase"] == "FAILED"
    assert closure["error"]["code"] == child["error"]["code"]
    assert "boom 7" in closure["error"]["message"]
    assert closure["error"]["message"] == child["error"]["message"]


def test_terminating_a_parent_terminates_its_child(waiting: Stock, api: Api, tmp_path: Path) -> None:
    api.start("slowone", "slow_parent", folder={"string_value": str(tmp_path)}, seconds={"integer": 300})
    until(lambda: (tmp_path / "slow").exists(), "the child's task does not start")
    child = api.child_of("slowone", "n0")
    waiting.remote("""
        remote.terminate(remote.fetch_execution(name="slowone"), "enough of it")
    """)
    assert api.end("slowone")["closure"]["phase"] == "ABORTED"
    ended = api.end(child)
    assert ended["closure"]["phase"] == "ABORTED"
    cause = "cascading abort as parent execution id [slowone] aborted, reason [Workflow aborted.]"
    assert ended["closure"]["abort_metadata"]["cause"] == cause


def test_a_launch_plan_may_be_the_case_of_a_conditional(api: Api) -> None:
    api.start("choosing", "chooses", x={"integer": 9})
    assert api.end("choosing")["closure"]["phase"] == "SUCCEEDED"
    data = api.call("data/executions/flytesnacks/development/choosing")
    assert data["full_outputs"]["literals"]["o0"]["scalar"]["primitive"]["integer"] == "18"


def test_flytekit_sets_a_signal_and_approves(waiting: Stock) -> None:
    answer = waiting.remote("""
        import time
        workflow = remote.fetch_workflow(name="waiting.asks", version="w1")
        run = remote.execute(workflow, inputs={"x": 2})

        def signal(name, act):
            for _ in range(200):
                if any(s.id.signal_id == name for s in remote.list_signals(run.id.name)):
                    return act()
                time.sleep(0.1)
            raise AssertionError(name)

        signal("number", lambda: remote.set_input("number", run.id.name, 5))
        signal("agree", lambda: remote.approve("agree", run.id.name))
        done = remote.wait(run, poll_interval=timedelta(seconds=1))
        result["phase"] = done.closure.phase
        result["output"] = done.outputs["o0"]
    """)
    assert answer == {"phase": 4, "output": 14}


def test_a_signal_releases_its_node_at_once_and_a_rejection_fails_it(api: Api) -> None:
    api.start("asking", "asks", x={"integer": 2})
    node = until(lambda: _running(api, "asking", "n1"), "the gate does not wait")
    signal = {"signal_id": "number", "execution_id": node["id"]["execution_id"]}
    api.call("signals", {"id": signal, "value": {"scalar": {"primitive": {"integer": 5}}}})
    before = time.monotonic()
    until(lambda: api.nodes("asking")["n1"]["closure"]["phase"] == "SUCCEEDED", "the gate stays shut")
    assert time.monotonic() - before < 2.0
    until(lambda: _running(api, "asking", "n3"), "nobody is asked to approve")
    refusal = {"scalar": {"primitive": {"boolean": False}}}
    api.call("signals", {"id": {**signal, "signal_id": "agree"}, "value": refusal})
    error = api.end("asking")["closure"]["error"]
    assert error["code"] == "ReceivedRejectSignal"
    assert "received a reject signal to disapprove the node input values" in error["message"]


def _running(api: Api, name: str, node: str) -> Any:
    found = api.nodes(name).get(node)
    return found if found and found["closure"]["phase"] == "RUNNING" else None


def test_a_signal_that_never_comes_fails_the_node_when_its_time_is_over(api: Api) -> None:
    api.start("hasty", "impatient")
    error = api.end("hasty")["closure"]["error"]
    assert "task execution timeout [2s] expired" in error["message"]


def test_the_failure_handler_of_a_sub_workflow_runs_before_the_node_fails(api: Api, tmp_path: Path) -> None:
    api.start("guarding", "around", folder={"string_value": str(tmp_path)}, x={"integer": 3})
    closure = api.end("guarding")["closure"]
    assert closure["phase"] == "FAILED"
    assert "boom 3" in closure["error"]["message"]
    assert (tmp_path / "tidied").read_text() == "3\n"
    within = api.nodes("guarding", "n0")
    assert within["n0-0-fn0"]["closure"]["phase"] == "SUCCEEDED"


@pytest.mark.timeout(300)
def test_a_kill_while_children_run_and_gates_wait_loses_and_doubles_nothing(stock_python: str, tmp_path: Path) -> None:
    data, ports, marks = tmp_path / "data", free_ports(3), tmp_path / "marks"
    marks.mkdir()
    server = start_up(data, ports, stock_python)
    Stock(stock_python, server).pyflyte("register", *PLACE, "--version", "w1", "waiting.py")
    api = Api(server)
    api.start("asking", "asks", x={"integer": 2})
    for number in range(4):
        api.start(f"slow{number}", "slow_parent", folder={"string_value": str(marks)}, seconds={"integer": 1})
        time.sleep(0.3 * number)
        server.kill()
        server = start_up(data, ports, stock_python)
    until(lambda: _running(api, "asking", "n1"), "the gate does not wait any more")
    signal = {"signal_id": "number", "execution_id": api.execution("asking")["id"]}
    api.call("signals", {"id": signal, "value": {"scalar": {"primitive": {"integer": 5}}}})
    until(lambda: _running(api, "asking", "n3"), "nobody is asked to approve")
    server.kill()
    server = start_up(data, ports, stock_python)
    try:
        agreed = {"scalar": {"primitive": {"boolean": True}}}
        api.call("signals", {"id": {**signal, "signal_id": "agree"}, "value": agreed})
        names = ["asking", *(f"slow{number}" for number in range(4))]
        assert [api.end(name)["closure"]["phase"] for name in names] == ["SUCCEEDED"] * 5
        listing = api.call("executions/flytesnacks/development?limit=100")["executions"]
        assert len(listing) == 5 + 4
        assert {execution["closure"]["phase"] for execution in listing} == {"SUCCEEDED"}
    finally:
        assert server.stop() == 0
