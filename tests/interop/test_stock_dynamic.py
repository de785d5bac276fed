"""Dynamic tasks of stock flytekit on `flyte up`."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flyte_up import Stock, free_ports, own_server, start_up

pytestmark = pytest.mark.interop
REGISTER = ("register", "-p", "flytesnacks", "-d", "development", "--version", "v1", "grown.py")
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "five": ("fanned", {"xs": [3, 1, 4, 1, 5]}),
    "none": ("fanned", {"xs": []}),
    "within": ("within", {"xs": [1, 2, 3]}),
    "nested": ("nested", {"base": 3, "exponent": 4}),
    "small": ("choosing", {"x": 4}),
    "large": ("choosing", {"x": 11}),
    "launching": ("launching", {"n": 4}),
    "void": ("void", {"marks": ["one", "two", "three"]}),
    "several": ("several", {"n": 3}),
    "failing": ("failing", {"n": 5}),
    "again": ("again", {"n": 2}),
    "hopeless": ("hopeless", {}),
}
RUN = """
    runs, started = {runs!r}, {{}}
    for key, (program, inputs) in runs.items():
        workflow = remote.fetch_workflow(name=f"grown.{{program}}", version="v1")
        started[key] = remote.execute(workflow, inputs=inputs)
    for key, run in started.items():
        done = remote.wait(run, poll_interval=timedelta(seconds=1), sync_nodes=False)
        done = remote.sync_execution(done, sync_nodes=True)
        outputs = (done.outputs or {{}}) if done.closure.phase == 4 else {{}}
        nodes = {{}}
        def show(found):
            for name, node in found.items():
                nodes[name] = node.closure.phase
                show(node.subworkflow_node_executions or {{}})
        show(done.node_executions)
        result[key] = {{
            "name": done.id.name,
            "error": [done.error.code, done.error.message] if done.error else None,
            "outputs": [outputs[name] for name in sorted(outputs)],
            "nodes": {{name: phase for name, phase in nodes.items() if not name.endswith(("start-node", "end-node"))}},
        }}
"""
SUCCEEDED, FAILED = 3, 5


@pytest.fixture(scope="module")
def grown(stock_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    with own_server(tmp_path_factory.mktemp("grown") / "data", stock_python) as server:
        stock = Stock(stock_python, server)
        stock.pyflyte(*REGISTER)
        yield stock


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="module")
def answers(grown: Stock, marks: Path) -> dict[str, Any]:
    """Run everything side by side; return what became of each."""
    runs = {**RUNS, "void": ("void", {"marks": [str(marks / name) for name in RUNS["void"][1]["marks"]]})}
    return grown.remote(RUN.format(runs=runs), seconds=240)


def test_a_list_becomes_as_many_nodes_as_it_is_long(answers: dict[str, Any]) -> None:
    assert answers["five"]["outputs"] == [28]
    made = {f"n0-0-dn{index}": SUCCEEDED for index in range(5)}
    assert answers["five"]["nodes"] == {"n0": SUCCEEDED, **made, "n1": SUCCEEDED}


def test_an_empty_list_becomes_no_nodes_and_plain_outputs(answers: dict[str, Any]) -> None:
    assert answers["none"]["outputs"] == [0]
    assert set(answers["none"]["nodes"]) == {"n0", "n1"}


def test_a_dynamic_task_runs_within_a_sub_workflow(answers: dict[str, Any]) -> None:
    assert answers["within"]["outputs"] == [13]
    assert answers["within"]["nodes"]["n0-0-n0-0-dn2"] == SUCCEEDED


def test_a_dynamic_task_may_call_itself(answers: dict[str, Any]) -> None:
    assert answers["nested"]["outputs"] == [81]
    assert answers["nested"]["nodes"]["n0-0-dn0-0-dn0"] == SUCCEEDED


def test_conditionals_and_sub_workflows_run_within_a_dynamic_task(answers: dict[str, Any]) -> None:
    assert answers["small"]["outputs"] == [8]
    assert answers["large"]["outputs"] == [110]


def test_launch_plans_run_within_a_dynamic_task(answers: dict[str, Any]) -> None:
    assert answers["launching"]["outputs"] == [12 + 6]


def test_a_dynamic_task_without_outputs_runs_its_nodes_in_order(answers: dict[str, Any], marks: Path) -> None:
    assert answers["void"]["error"] is None
    times = [(marks / name).stat().st_mtime_ns for name in ("one", "two", "three")]
    assert times == sorted(times)


def test_several_outputs_may_be_lists_of_promises_and_constants(answers: dict[str, Any]) -> None:
    assert answers["several"]["outputs"] == [[0, 2, 4], answers["several"]["name"], 7]


def test_a_failure_within_fails_the_execution_with_its_own_error_and_is_not_tried_again(
    answers: dict[str, Any],
) -> None:
    assert "no good: 3" in answers["failing"]["error"][1]
    nodes = answers["failing"]["nodes"]
    assert (nodes["n0"], nodes["n0-0-dn3"]) == (FAILED, FAILED)
    assert not any(name.startswith("n0-1-") for name in nodes)


def test_another_attempt_of_a_dynamic_task_makes_another_graph(answers: dict[str, Any]) -> None:
    assert answers["again"]["outputs"] == [[20, 22]]
    assert set(answers["again"]["nodes"]) == {"n0", "n0-1-dn0", "n0-1-dn1"}


def test_a_time_out_within_costs_an_attempt_and_makes_a_new_graph(answers: dict[str, Any]) -> None:
    code, message = answers["hopeless"]["error"]
    assert code == "RetriesExhausted|DynamicNodeFailing"
    assert "n0-1-dn0" in message
    assert set(answers["hopeless"]["nodes"]) == {"n0", "n0-0-dn0", "n0-1-dn0"}


def test_the_graph_is_shown(grown: Stock, answers: dict[str, Any]) -> None:
    answer = grown.remote(f"""
        from flyteidl.admin.node_execution_pb2 import GetDynamicNodeWorkflowRequest
        from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
        run = remote.fetch_execution(name={answers["five"]["name"]!r})
        node = NodeExecutionIdentifier(node_id="n0", execution_id=run.id.to_flyte_idl())
        found = remote.client._stub.GetDynamicNodeWorkflow(GetDynamicNodeWorkflowRequest(id=node)).compiled_workflow
        result["name"] = found.primary.template.id.name
        result["nodes"] = [each.id for each in found.primary.template.nodes]
        result["tasks"] = [each.template.id.name for each in found.tasks]
    """)
    made = [f"dn{index}" for index in range(5)]
    assert answer == {"name": "dynamic_n0", "nodes": ["start-node", "end-node", *made], "tasks": ["grown.double"]}


@pytest.mark.timeout(300)
def test_killing_flyte_up_while_graphs_run_loses_nothing_and_doubles_nothing(stock_python: str, tmp_path: Path) -> None:
    data, ports, chance = tmp_path / "data", free_ports(3), random.Random(5)
    marks = tmp_path / "marks"
    marks.mkdir()
    server = start_up(data, ports, stock_python)
    Stock(stock_python, server).pyflyte(*REGISTER)
    started = Stock(stock_python, server).remote(f"""
        workflow = remote.fetch_workflow(name="grown.killed", version="v1")
        result["name"] = remote.execute(workflow, inputs={{"n": 12, "mark": {str(marks)!r}}}).id.name
    """)
    for _ in range(5):
        time.sleep(chance.uniform(0.1, 1.2))
        server.kill()
        server = start_up(data, ports, stock_python)
    answer = Stock(stock_python, server).remote(f"""
        run = remote.fetch_execution(name={started["name"]!r})
        done = remote.wait(run, poll_interval=timedelta(seconds=1), timeout=timedelta(minutes=3))
        result["error"] = done.error.message if done.error else ""
        result["value"] = done.outputs["o0"]
    """)
    assert answer == {"error": "", "value": sum(range(1, 13)) + 6}, server.log.read_text()[-3000:]
    assert server.stop() == 0
    lines = {path.name: len(path.read_text().splitlines()) for path in marks.iterdir()}
    assert len(lines) == 18
    assert max(lines.values()) <= 2, lines
