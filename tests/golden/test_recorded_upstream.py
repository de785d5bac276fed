"""The programs that upstream 1.16.8 was recorded with, run on `flyte up`: same events, same REST JSON.

Differences that remain are named where they are masked, with their reasons.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin.execution_pb2 import Execution
from google.protobuf.json_format import MessageToDict, ParseDict

from flyte_core.identifiers import child_execution_name
from flyte_up import Server, Stock, free_ports, start_up
from map_events import map_progress, without_map_progress
from masking import differences, masked

pytestmark = pytest.mark.interop
HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
RUNS = ["single", "chain", "with_failure_node", "parent_map", "parent_dyn", "parent_lp", "gates"]
SIGNALS = {"gates": {"how-many": {"integer": "9"}, "go-ahead": {"boolean": True}}}
LONG_NAME = 17
"""Letters of an execution's name from which on those of its children are hashed, and do not contain it."""
TERMINAL = {"SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"}
WAIT_SECONDS = 90


def load(run: str, name: str) -> Any:
    return json.loads((RECORDED / run / name).read_text())


@pytest.fixture(scope="module")
def golden_server(stock_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("golden")
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(HERE / "event_recorder"), before.get("PYTHONPATH", "")])
    )
    os.environ["FLYTE_EVENT_FILE"] = str(folder / "events.jsonl")
    try:
        up = start_up(folder / "data", free_ports(3), stock_python, "--project", "golden")
    finally:
        os.environ.clear()
        os.environ.update(before)
    stock = Stock(stock_python, up)
    stock.pyflyte("register", "-p", "golden", "-d", "development", "--version", "v1", "golden_wf.py", cwd=HERE)
    yield up
    assert up.stop() == 0


def call(server: Server, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.http}/api/v1/{path}", data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module", params=RUNS)
def finished(request: pytest.FixtureRequest, golden_server: Server) -> tuple[str, str, str]:
    """Run one program; return (run, recorded name, fresh name)."""
    run: str = request.param
    create = load(run, "create-request.json")
    recorded = create["name"]
    create["name"] = fresh = f"fresh{run.replace('_', '')}".ljust(LONG_NAME, "x")
    call(golden_server, "executions", create)
    deadline = time.monotonic() + WAIT_SECONDS
    signals = SIGNALS.get(run, {})
    while call(golden_server, f"executions/golden/development/{fresh}")["closure"]["phase"] not in TERMINAL:
        set_signals(golden_server, fresh, signals)
        assert time.monotonic() < deadline, "the execution does not end"
        time.sleep(0.2)
    return run, recorded, fresh


def set_signals(server: Server, execution: str, values: dict[str, Any]) -> None:
    """Set those of the signals that are waited for."""
    if values:
        for signal in call(server, f"signals/golden/development/{execution}?limit=10")["signals"]:
            if not signal["value"]:
                value = {"scalar": {"primitive": values[signal["id"]["signal_id"]]}}
                call(server, "signals", {"id": signal["id"], "value": value})


def same(fresh: Any, fresh_name: str, recorded: Any, recorded_name: str) -> None:
    found = differences(shown(fresh, fresh_name), shown(recorded, recorded_name))
    assert not found, "\n".join(found)


def shown(document: Any, execution: str) -> Any:
    """Return the document without what no two runs share; the name of a child follows from that of its parent."""
    child = child_execution_name(execution, "n0", 0)
    if not child.startswith(execution):  # one that is, is the name of an attempt too
        document = json.loads(json.dumps(document).replace(child, "CHILD"))
    return masked(document, execution)


def test_the_child_of_a_launch_plan_node_is_the_same(finished: tuple[str, str, str], golden_server: Server) -> None:
    run, recorded, fresh = finished
    lines = [json.loads(line) for line in (RECORDED / run / "events.jsonl").read_text().splitlines()]
    seen = [line["response"] for line in lines if line["method"].endswith("/GetExecution")]
    assert bool(seen) == (run == "parent_lp")
    for wanted in seen[-1:]:
        answer = call(golden_server, f"executions/golden/development/{child_execution_name(fresh, 'n0', 0)}")
        same(MessageToDict(ParseDict(answer, Execution())), fresh, wanted, recorded)


def test_the_execution_is_the_same(finished: tuple[str, str, str], golden_server: Server) -> None:
    run, recorded, fresh = finished
    answer = call(golden_server, f"executions/golden/development/{fresh}")
    wanted = load(run, "rest-execution.json")
    same(answer, fresh, wanted, recorded)
    if "error" in wanted["closure"]:
        assert answer["closure"]["error"]["message"].split("Message:")[1].split() == (
            wanted["closure"]["error"]["message"].split("Message:")[1].split()
        )


def test_inputs_and_outputs_are_the_same(finished: tuple[str, str, str], golden_server: Server) -> None:
    run, recorded, fresh = finished
    answer = call(golden_server, f"data/executions/golden/development/{fresh}")
    same(answer, fresh, load(run, "rest-execution-data.json"), recorded)


def test_node_executions_are_the_same(finished: tuple[str, str, str], golden_server: Server) -> None:
    run, recorded, fresh = finished
    answer = call(golden_server, f"node_executions/golden/development/{fresh}?limit=100")
    wanted = load(run, "rest-node-executions.json")
    for listing in (answer, wanted):
        listing["node_executions"].sort(key=lambda node: node["id"]["node_id"])
    same(answer, fresh, wanted, recorded)


def test_node_executions_by_id_and_their_data_are_the_same(
    finished: tuple[str, str, str], golden_server: Server
) -> None:
    run, recorded, fresh = finished
    for key, wanted in load(run, "rest-node-executions-by-id.json").items():
        node, _, data = key.partition("#")
        path = f"node_executions/golden/development/{fresh}/{node}"
        answer = call(golden_server, f"data/{path}" if data else path)
        same(_without_random(answer), fresh, _without_random(wanted), recorded)


def test_node_executions_within_a_node_are_the_same(finished: tuple[str, str, str], golden_server: Server) -> None:
    run, recorded, fresh = finished
    for file in (RECORDED / run).glob("rest-node-executions-under-*.json"):
        parent = file.stem.removeprefix("rest-node-executions-under-")
        path = f"node_executions/golden/development/{fresh}?limit=100&unique_parent_id={parent}"
        answer, wanted = call(golden_server, path), load(run, file.name)
        for listing in (answer, wanted):
            listing["node_executions"].sort(key=lambda node: node["id"]["node_id"])
        same(answer, fresh, wanted, recorded)


def _without_random(document: Any) -> Any:
    """Drop what two runs of a dynamic task never share.

    Upstream gives its workflow a random version; the archive of the code has the digest of a file that is formatted
    differently here.
    """
    dynamic = document.get("dynamic_workflow")
    if dynamic:
        template = dynamic["compiled_workflow"]["primary"]["template"]
        dynamic["id"]["version"] = template["id"]["version"] = "VERSION"
        for task in dynamic["compiled_workflow"]["tasks"]:
            args = task["template"]["container"]["args"]
            args[args.index("--additional-distribution") + 1] = "ARCHIVE"
    return document


def test_task_executions_are_the_same(finished: tuple[str, str, str], golden_server: Server) -> None:
    run, recorded, fresh = finished
    for node, wanted in load(run, "rest-task-executions.json").items():
        answer = call(golden_server, f"task_executions/golden/development/{fresh}/{node}?limit=100")
        same(_without_kubelet_timing(answer), fresh, _without_kubelet_timing(wanted), recorded)


def _without_kubelet_timing(listing: Any) -> Any:
    """Drop "Demistify Pending": upstream reports it only when the kubelet was slower than the next look at the pod."""
    for row in listing["task_executions"]:
        reasons = [r for r in row["closure"]["reasons"] if r["message"] != "Demistify Pending"]
        row["closure"]["reasons"], row["closure"]["reason"] = reasons, reasons[-1]["message"] if reasons else ""
    return listing


def events_of(lines: list[Any], execution: str) -> dict[str, list[Any]]:
    """Group events by what they are about, each in order: independent nodes may interleave differently."""
    grouped: dict[str, list[Any]] = {}
    for event in lines:
        if event.get("reason") == "Demistify Pending":
            continue
        identifier = event.get("id") or event.get("parentNodeExecutionId") or {}
        about = identifier.get("nodeId", "workflow")
        event.pop("reportedAt", None)
        made = event.get("taskNodeMetadata", {}).get("dynamicWorkflow")
        if made:
            made.pop("compiledWorkflow", None)  # compared as REST answers it: sinks get events without what was stored
            made["id"]["version"] = "VERSION"
        grouped.setdefault(about, []).append(shown(event, execution))
    return grouped


def test_events_are_the_same_in_order_and_fields(finished: tuple[str, str, str], golden_server: Server) -> None:
    run, recorded, fresh = finished
    lines = [json.loads(line) for line in (RECORDED / run / "events.jsonl").read_text().splitlines()]
    wanted = [line["request"]["event"] for line in lines if line["method"].endswith("Event")]
    file = golden_server.data.parent / "events.jsonl"
    deadline = time.monotonic() + 10
    while True:
        fresh_events = [json.loads(line)["request"]["event"] for line in file.read_text().splitlines()]
        mine = [event for event in fresh_events if fresh in json.dumps(event)]
        if any(event.get("phase") in TERMINAL and "executionId" in event for event in mine):
            break
        assert time.monotonic() < deadline, "the last event was not delivered to the sink"
        time.sleep(0.1)
    ours, upstreams = events_of(mine, fresh), events_of(wanted, recorded)
    for about, events in ours.items():
        same_of_elements(map_progress(events), map_progress(upstreams[about]))
    whole = [{about: without_map_progress(events) for about, events in each.items()} for each in (ours, upstreams)]
    found = differences(*whole)
    assert not found, "\n".join(found)


def same_of_elements(ours: dict[int, list[Any]], upstreams: dict[int, list[Any]]) -> None:
    """What is told of a map's elements is what upstream tells; a quick one may be over before it is seen to run."""
    assert ours.keys() == upstreams.keys()
    for element, reports in ours.items():
        assert reports[-1] == upstreams[element][-1]
        assert reports == [report for report in upstreams[element] if report in reports]
