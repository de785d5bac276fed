"""Upstream's propeller was recorded; fed with the same reports of attempts, ours sends the same events.

``recorded/`` holds, of runs of upstream 1.16.8 (``cache_wf`` without a catalog), the FlyteWorkflow as created, parts of
it as ended, and the events in order. Masked are times, the execution's name, addresses and log text
(``tests/support/masking.py``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin.event_pb2 import TaskExecutionEventRequest
from flyteidl.admin.execution_pb2 import Execution
from flyteidl.admin.signal_pb2 import SignalSetRequest
from flyteidl.core.execution_pb2 import TaskExecution, TaskLog
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.event.event_pb2 import TaskExecutionEvent
from google.protobuf.json_format import MessageToDict, ParseDict

from driving import Driven, integer
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo
from map_events import MAP, map_progress, without_map_progress
from masking import masked

RECORDED = Path(__file__).parent / "recorded"
RUNS = sorted(folder.name for folder in RECORDED.iterdir())
SLEEP_SECONDS = 2.0
"""Of the gate in ``gates``."""
SERVER_OWNED = ("uid", "resourceVersion", "creationTimestamp", "generation")
REPORTS = {
    TaskExecution.QUEUED: TaskPhase.QUEUED,
    TaskExecution.RUNNING: TaskPhase.RUNNING,
    TaskExecution.SUCCEEDED: TaskPhase.SUCCESS,
    TaskExecution.FAILED: TaskPhase.PERMANENT_FAILURE,
}


def load(run: str, name: str) -> Any:
    return json.loads((RECORDED / run / f"{name}.json").read_text())


def recorded_events(run: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (RECORDED / run / "events.jsonl").read_text().splitlines()]


def report_of(request: TaskExecutionEventRequest) -> PhaseInfo:
    event = request.event
    return PhaseInfo(
        REPORTS[event.phase],
        event.phase_version,
        event.reason,
        event.error if event.HasField("error") else None,
        tuple(event.logs),
        event.occurred_at.ToDatetime(),
    )


def element_reports(event: TaskExecutionEvent) -> list[tuple[str, PhaseInfo]]:
    """Return what the plugin saw of elements of a map: (unique node id, report)."""
    reports = []
    for element in event.metadata.external_resources:
        logs = []
        for told in element.logs:
            log = TaskLog(name=told.name.rsplit("-", 1)[0])
            log.MergeFrom(TaskLog(uri=told.uri, message_format=told.message_format))
            logs.append(log)
        if REPORTS[element.phase] is not TaskPhase.QUEUED:
            node_id = f"{event.parent_node_execution_id.node_id}-0-n{element.index}"
            reports.append((node_id, PhaseInfo(REPORTS[element.phase], logs=tuple(logs))))
    return reports


async def replay(run: str) -> Driven:
    """Run the recorded FlyteWorkflow; each attempt shows what upstream's plugin saw of it, in the same order."""
    manifest = load(run, "crd-created")
    for field in SERVER_OWNED:
        manifest["metadata"].pop(field, None)
    driven = await Driven(manifest).start()
    if run == "gates":
        await driven.pass_time(SLEEP_SECONDS)
    for record in recorded_events(run):
        if record["method"] == "SetSignal":
            await set_signal(driven, ParseDict(record["request"], SignalSetRequest()))
        if record["method"] == "GetExecution":
            await show_child(driven, ParseDict(record["response"], Execution()))
        if record["method"] != "CreateTaskEvent":
            continue
        request = ParseDict(record["request"], TaskExecutionEventRequest())
        if request.event.task_type == MAP:
            for node_id, seen in element_reports(request.event) if request.event.phase == TaskExecution.RUNNING else ():
                await driven.show(node_id, seen)
            continue
        report = report_of(request)
        if report.phase is not TaskPhase.QUEUED or report.version:
            await driven.show(request.event.parent_node_execution_id.node_id, report)
    return driven


async def set_signal(driven: Driven, request: SignalSetRequest) -> None:
    driven.admin.signals[request.id.signal_id].value.CopyFrom(request.value)
    driven.propeller.signal_set(request.id)
    await driven.attend()


async def show_child(driven: Driven, child: Execution) -> None:
    """Let the child be as upstream's control plane showed it, with its outputs where it says they are."""
    driven.admin.closures[child.id.name] = child.closure
    if child.closure.outputs.uri:
        outputs = LiteralMap(literals={"o0": integer(9)})
        await driven.store.write(child.closure.outputs.uri, outputs.SerializeToString(deterministic=True))
    driven.wake("n0")
    await driven.attend()


@pytest.mark.parametrize("run", RUNS)
async def test_the_events_are_upstreams(run: str) -> None:
    driven = await replay(run)
    ours = [masked(MessageToDict(request)["event"], driven.key.name) for request in driven.admin.events]
    recorded = [record for record in recorded_events(run) if record["method"].endswith("Event")]
    upstreams = [masked(record["request"]["event"], driven.key.name) for record in recorded]
    assert map_progress(ours) == map_progress(upstreams)
    assert without_map_progress(ours) == without_map_progress(upstreams)


async def test_the_child_execution_is_asked_for_as_upstream_does() -> None:
    driven = await replay("parent_lp")
    (recorded,) = [
        record["request"] for record in recorded_events("parent_lp") if record["method"] == "CreateExecution"
    ]
    del recorded["spec"]["metadata"]["systemMetadata"]  # the control plane's own addition
    assert MessageToDict(driven.admin.children[recorded["name"]]) == recorded


async def test_signals_are_asked_for_as_upstream_does() -> None:
    driven = await replay("gates")
    recorded = [record["request"] for record in recorded_events("gates") if record["method"] == "GetOrCreateSignal"]
    for request in recorded:
        signal = driven.admin.signals[request["id"]["signalId"]]
        assert (MessageToDict(signal.id), MessageToDict(signal.type)) == (request["id"], request["type"])


async def test_what_gates_and_children_give_reaches_the_nodes_after_them() -> None:
    gates, parent = await replay("gates"), await replay("parent_lp")
    assert await gates.read("n2/data/inputs.pb") == LiteralMap(literals={"a": integer(5), "b": integer(9)})
    assert await gates.read("n4/data/inputs.pb") == LiteralMap(literals={"x": integer(1)})
    assert await parent.read("n1/data/inputs.pb") == LiteralMap(literals={"x": integer(9)})


@pytest.mark.parametrize("run", RUNS)
async def test_the_ended_resource_is_upstreams(run: str) -> None:
    driven = await replay(run)
    stored, recorded = await driven.stored(), load(run, "crd-final")
    status = {key: value for key, value in stored["status"].items() if key != "flyteState"}
    assert masked(status, driven.key.name) == masked(recorded["status"], driven.key.name)
    hour = recorded["metadata"]["labels"].pop("completed-time")
    ours = dict(stored["metadata"]["labels"])
    assert len(ours.pop("completed-time")) == len(hour)
    assert ours == recorded["metadata"]["labels"]
    assert not stored["metadata"]["finalizers"]
    assert driven.host.alive == set()
