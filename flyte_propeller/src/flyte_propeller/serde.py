"""The machine's state as the FlyteWorkflow's status: readable at the top, compact below, versioned.

``status.phase``, ``startedAt``, ``stoppedAt``, ``message``, ``error`` and ``dataDir`` are upstream's fields. The rest
is ``status.flyteState``: a version, and a deflated JSON document in base64. Ended nodes take two bytes each in one
string that :class:`StateWriter` keeps and changes in place, so that the cost of a write is that of the nodes which
are active, and a few microseconds per thousand of the others.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flyteidl.core.execution_pb2 import ExecutionError
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from immutables import Map

from flyte_core.errors import InvalidInput
from flyte_core.phases import NodePhase, TaskPhase, WorkflowPhase
from flyte_propeller.machine.state import NodeState, Settled, TaskAttempt, WorkflowState

VERSION = 1
SLOT = 2
"""Bytes of an ended node: its phase + 1 (0: not ended), and its attempt."""
MAX_ATTEMPT = 255


@dataclass(slots=True)
class StateWriter:
    """Encodes successive states of one execution."""

    slots: bytearray

    @classmethod
    def of(cls, state: WorkflowState, nodes: int) -> StateWriter:
        """Start from this state of a workflow with that many nodes."""
        writer = cls(bytearray(nodes * SLOT))
        writer.note(state, range(nodes))
        return writer

    def note(self, state: WorkflowState, touched: Any) -> None:
        """Take over the nodes of these indices."""
        for index in touched:
            settled = state.settled.get(index)
            if settled is not None:
                self.slots[index * SLOT] = settled.phase + 1
                self.slots[index * SLOT + 1] = min(settled.attempt, MAX_ATTEMPT)

    def encode(self, state: WorkflowState) -> bytes:
        """Return the state, deflated."""
        document = {
            "n": base64.b64encode(zlib.compress(bytes(self.slots), 1)).decode(),
            "a": {str(index): _node_to_json(node) for index, node in state.active.items()},
            "c": [[index, attempt, token] for (index, attempt), token in state.cleanup.items()],
            "m": state.muted,
        }
        return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 1)


def status_of(state: WorkflowState, data_dir: str, now: datetime) -> dict[str, Any]:
    """Return the readable part of the status, in upstream's fields."""
    status: dict[str, Any] = {"phase": int(state.phase), "defVersion": 1, "dataDir": data_dir}
    status["lastUpdatedAt"] = _seconds(now)
    if state.started_at is not None:
        status["startedAt"] = _seconds(state.started_at)
    if state.stopped_at is not None:
        status["stoppedAt"] = _seconds(state.stopped_at)
    if state.message:
        status["message"] = state.message[:1024]
    if state.error is not None:
        status["error"] = MessageToDict(state.error)
    return status


def inline_state(encoded: bytes) -> dict[str, Any]:
    """Return ``status.flyteState`` that holds the state itself."""
    return {"v": VERSION, "d": base64.b64encode(encoded).decode()}


def referred_state(uri: str) -> dict[str, Any]:
    """Return ``status.flyteState`` that says where the state is."""
    return {"v": VERSION, "uri": uri}


def decode(status: Mapping[str, Any], encoded: bytes | None) -> WorkflowState:
    """Return the stored state; a status without ``flyteState`` is a fresh one.

    :param encoded: the deflated document, from the status or from the object store
    :raises flyte_core.errors.InvalidInput: if this is not what :class:`StateWriter` wrote
    """
    if encoded is None:
        if status.get("phase", 0) != WorkflowPhase.READY:
            raise InvalidInput("the status was not written by this data plane: it has a phase but no flyteState")
        return WorkflowState()
    try:
        document = json.loads(zlib.decompress(encoded))
        error = ParseDict(status["error"], ExecutionError()) if status.get("error") else None
        return WorkflowState(
            phase=WorkflowPhase(status["phase"]),
            active=Map({int(index): _node_from_json(node) for index, node in document["a"].items()}),
            settled=Map(_settled(zlib.decompress(base64.b64decode(document["n"])))),
            cleanup=Map({(index, attempt): token for index, attempt, token in document["c"]}),
            error=error,
            message=status.get("message", ""),
            muted=bool(document["m"]),
            started_at=_moment(status.get("startedAt")),
            stopped_at=_moment(status.get("stoppedAt")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, ParseError) as fault:
        raise InvalidInput(f"the status is damaged: {type(fault).__name__}: {fault}") from fault


def _settled(slots: bytes) -> dict[int, Settled]:
    return {
        position // SLOT: Settled(NodePhase(slots[position] - 1), slots[position + 1])
        for position in range(0, len(slots), SLOT)
        if slots[position]
    }


def _node_to_json(node: NodeState) -> list[Any]:
    task = [node.task.token, int(node.task.phase), node.task.version] if node.task is not None else None
    return [
        int(node.phase),
        node.attempt,
        node.system_failures,
        node.queued_at.timestamp() if node.queued_at else None,
        node.attempt_started_at.timestamp() if node.attempt_started_at else None,
        task,
    ]


def _node_from_json(values: list[Any]) -> NodeState:
    phase, attempt, system_failures, queued, started, task = values
    return NodeState(
        NodePhase(phase),
        attempt,
        system_failures,
        datetime.fromtimestamp(queued, UTC) if queued is not None else None,
        datetime.fromtimestamp(started, UTC) if started is not None else None,
        TaskAttempt(task[0], TaskPhase(task[1]), task[2]) if task is not None else None,
    )


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
