"""The machine's state as the FlyteWorkflow's status: readable at the top, compact below, versioned.

``status.phase``, ``startedAt``, ``stoppedAt``, ``message``, ``error``, ``dataDir`` and ``outputRef`` are upstream's
fields. The rest is ``status.flyteState``: a version, and in base64 a deflated document: four bytes with the length of a
JSON text, the text, and three bytes for each node of the graph (its phase + 1, or 0 until it has ended; its attempt in
two bytes). Elements of array nodes that have ended are three bytes each, within the text; those that run follow the
document (:mod:`flyte_propeller.array_serde`).

:class:`StateWriter` keeps the parts of the document and renews those of the nodes that changed, so that the cost of
a write is that of the nodes which are active, and some microseconds per thousand of the others.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flyteidl.core.execution_pb2 import ExecutionError
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from immutables import Map

from flyte_core import paths
from flyte_core.errors import InvalidInput
from flyte_core.phases import NodePhase, TaskPhase, WorkflowPhase
from flyte_propeller.array_serde import ElementsWriter, array_from_json, array_to_json, elements_of
from flyte_propeller.machine.addresses import is_element
from flyte_propeller.machine.state import CacheState, Graft, NodeState, Settled, TaskAttempt, WorkflowState

VERSION = 1
_SLOT = struct.Struct(">BH")
_LENGTH = struct.Struct(">I")
_LEVEL = 1
"""Of zlib: the fastest one; ids and tokens do not get much smaller by the others."""


@dataclass(slots=True)
class StateWriter:
    """Encodes successive states of one execution."""

    slots: bytearray
    active: dict[int, str] = field(default_factory=dict)
    elements: ElementsWriter = field(default_factory=ElementsWriter)

    @classmethod
    def of(cls, state: WorkflowState, nodes: int) -> StateWriter:
        """Start from this state of a workflow with that many nodes."""
        writer = cls(bytearray(nodes * _SLOT.size))
        writer.note(state, (*state.settled, *state.active, *state.elements))
        return writer

    def note(self, state: WorkflowState, touched: Iterable[int]) -> None:
        """Take over the nodes of these indices as they are in the state."""
        for index in touched:
            if is_element(index):
                element = state.elements.get(index)
                self.elements.note(index, _compact(_node_to_json(element)) if element is not None else None)
                continue
            settled, node = state.settled.get(index), state.active.get(index)
            slot = (settled.phase + 1, settled.attempt) if settled is not None else (0, 0)
            _SLOT.pack_into(self.slots, index * _SLOT.size, *slot)
            if node is not None:
                self.active[index] = f'"{index}":{_compact(_node_to_json(node))}'
            else:
                self.active.pop(index, None)

    def resize(self, nodes: int) -> None:
        """Go on with so many nodes: with the graph of a dynamic node, or without one whose state was not stored."""
        missing = nodes * _SLOT.size - len(self.slots)
        if missing >= 0:
            self.slots += bytes(missing)
        else:
            del self.slots[missing:]

    def encode(self, state: WorkflowState) -> bytes:
        """Return the state, deflated."""
        grafts = [[graft.node, graft.attempt, graft.size] for graft in state.grafts]
        cleanup = [[*key, token] for key, token in state.cleanup.items()]
        rest = _compact({"c": cleanup, "g": grafts, "m": state.muted})
        text = f'{{"a":{{{",".join(self.active.values())}}},{rest[1:]}'.encode()
        document = zlib.compress(b"".join((_LENGTH.pack(len(text)), text, self.slots)), _LEVEL)
        return document + self.elements.encode()


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
    if state.phase is WorkflowPhase.SUCCESS:
        status["outputRef"] = paths.workflow_outputs(data_dir)
    if state.error is not None:
        status["error"] = MessageToDict(state.error)
    return status


def inline_state(encoded: bytes) -> dict[str, Any]:
    """Return ``status.flyteState`` that holds the state itself."""
    return {"v": VERSION, "d": base64.b64encode(encoded).decode()}


def referred_state(uri: str) -> dict[str, Any]:
    """Return ``status.flyteState`` that says where the state is."""
    return {"v": VERSION, "uri": uri}


def decode(status: Mapping[str, Any], encoded: bytes | None, nodes: int) -> WorkflowState:
    """Return the stored state; a status without ``flyteState`` is a fresh one.

    :param encoded: the deflated document, from the status or from the object store
    :param nodes: of the graph, with those that dynamic nodes have added (see :func:`grafts_of`)
    :raises flyte_core.errors.InvalidInput: if this is not what :class:`StateWriter` wrote for this graph
    """
    if encoded is None:
        if status.get("phase", 0) != WorkflowPhase.READY:
            raise InvalidInput("the status was not written by this data plane: it has a phase but no flyteState")
        return WorkflowState()
    try:
        document, slots, elements = _unpack(encoded)
        if len(slots) != nodes * _SLOT.size:
            raise InvalidInput(f"the status is of a graph of {len(slots) // _SLOT.size} nodes, the spec has {nodes}")
        error = ParseDict(status["error"], ExecutionError()) if status.get("error") else None
        return WorkflowState(
            phase=WorkflowPhase(status["phase"]),
            active=Map({int(index): _node_from_json(node) for index, node in document["a"].items()}),
            settled=Map(_settled(slots)),
            elements=Map({int(address): _node_from_json(node) for address, node in elements_of(elements).items()}),
            cleanup=Map({(index, attempt): token for index, attempt, token in document["c"]}),
            error=error,
            message=status.get("message", ""),
            muted=bool(document["m"]),
            grafts=tuple(Graft(*graft) for graft in document.get("g", ())),
            started_at=_moment(status.get("startedAt")),
            stopped_at=_moment(status.get("stoppedAt")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, struct.error, ParseError) as fault:
        raise InvalidInput(f"the status is damaged: {type(fault).__name__}: {fault}") from fault


def grafts_of(encoded: bytes | None) -> tuple[Graft, ...]:
    """Return the graphs that belong to the stored state besides that of the FlyteWorkflow, in order.

    :param encoded: as for :func:`decode`
    :raises flyte_core.errors.InvalidInput: if this is not what :class:`StateWriter` wrote
    """
    if encoded is None:
        return ()
    try:
        document, _, _ = _unpack(encoded)
        return tuple(Graft(int(node), int(attempt), int(size)) for node, attempt, size in document.get("g", ()))
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, struct.error) as fault:
        raise InvalidInput(f"the status is damaged: {type(fault).__name__}: {fault}") from fault


def _unpack(encoded: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    stream = zlib.decompressobj()
    document = stream.decompress(encoded) + stream.flush()
    if not stream.eof:
        raise ValueError("it is cut off")
    (length,) = _LENGTH.unpack_from(document)
    end = _LENGTH.size + length
    return json.loads(document[_LENGTH.size : end]), document[end:], stream.unused_data


def _settled(slots: bytes) -> dict[int, Settled]:
    return {
        index: Settled(NodePhase(phase - 1), attempt)
        for index, (phase, attempt) in enumerate(_SLOT.iter_unpack(slots))
        if phase
    }


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _node_to_json(node: NodeState) -> list[Any]:
    task = [node.task.token, int(node.task.phase), node.task.version] if node.task is not None else None
    values = [
        int(node.phase),
        node.attempt,
        node.system_failures,
        node.queued_at.timestamp() if node.queued_at else None,
        node.attempt_started_at.timestamp() if node.attempt_started_at else None,
        task,
    ]
    rest = {
        "error": base64.b64encode(node.error.SerializeToString()).decode() if node.error is not None else None,
        "array": array_to_json(node.array) if node.array is not None else None,
        "cache": _cache_to_json(node.cache) if node.cache is not None else None,
        "checkpoint": node.checkpoint,
    }
    more = {key: value for key, value in rest.items() if value}
    return [*values, more] if more else values


def _cache_to_json(cache: CacheState) -> list[Any]:
    return [cache.status, cache.reservation, cache.next_at.timestamp() if cache.next_at else None]


def _cache_from_json(values: list[Any]) -> CacheState:
    status, reservation, next_at = values
    return CacheState(status, reservation, datetime.fromtimestamp(next_at, UTC) if next_at is not None else None)


def _node_from_json(values: list[Any]) -> NodeState:
    phase, attempt, system_failures, queued, started, task, *rest = values
    more: dict[str, Any] = rest[0] if rest else {}
    return NodeState(
        NodePhase(phase),
        attempt,
        system_failures,
        datetime.fromtimestamp(queued, UTC) if queued is not None else None,
        datetime.fromtimestamp(started, UTC) if started is not None else None,
        TaskAttempt(task[0], TaskPhase(task[1]), task[2]) if task is not None else None,
        ExecutionError.FromString(base64.b64decode(more["error"])) if "error" in more else None,
        array_from_json(more["array"]) if "array" in more else None,
        _cache_from_json(more["cache"]) if "cache" in more else None,
        more.get("checkpoint", ""),
    )


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
