"""Reads an execution from its FlyteWorkflow and the object store."""

from __future__ import annotations

import base64

from flyte_core.cluster import Manifest
from flyte_core.errors import InvalidInput, NotFound
from flyte_core.storage import BlobStore
from flyte_propeller.crd import parse_workflow
from flyte_propeller.graph_reader import PluginOf
from flyte_propeller.machine.addresses import is_element
from flyte_propeller.machine.evaluate import restart
from flyte_propeller.machine.event_requests import generated_name
from flyte_propeller.machine.workflow import Workflow
from flyte_propeller.serde import VERSION, StateWriter, decode, grafts_of
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.graphs import grown_again
from flyte_propeller.shell.references import inlined


class StateMissing(InvalidInput):
    """The status refers to a state that is not in the object store: it is outdated, or the state was deleted."""


async def load(
    manifest: Manifest, store: BlobStore, settings: PropellerSettings, plugin_of: PluginOf, workflow: Workflow | None
) -> Execution:
    """Read an execution from its FlyteWorkflow.

    :param workflow: the graph of the FlyteWorkflow where it is in memory already; it cannot change
    :raises StateMissing: if the status refers to a state that is not there
    :raises flyte_core.errors.InvalidInput: if the FlyteWorkflow or its status cannot be understood
    """
    graph = workflow or parse_workflow(await inlined(manifest, store), settings, plugin_of)
    status = manifest.get("status") or {}
    uri = _uri(status)
    encoded = await _read(uri, store) if uri else _inline(status)
    graph = await grown_again(graph, grafts_of(encoded), store, plugin_of)
    state = restart(graph, decode(status, encoded, len(graph.nodes)))
    execution = Execution(graph, state, manifest, StateWriter.of(state, len(graph.nodes)), graph.index_by_id)
    execution.inbox.whole = True
    execution.overflow = [uri] if uri else []
    for address, attempt in (*((a, e.attempt) for a, e in state.elements.items()), *state.cleanup):
        if is_element(address):
            execution.know_element(address, generated_name(graph, graph.at(address), attempt))
    for index, node in (*state.active.items(), *state.elements.items()):
        known = graph.at(index)
        if node.queued_at is not None and known.active_deadline is not None:
            execution.timers.set(node.queued_at + known.active_deadline, index)
        if node.cache is not None and node.cache.next_at is not None:
            execution.timers.set(node.cache.next_at, index)
        if node.attempt_started_at is not None and known.execution_deadline is not None:
            execution.timers.set(node.attempt_started_at + known.execution_deadline, index)
    return execution


def _uri(status: Manifest) -> str:
    kept = status.get("flyteState") or {}
    return str(kept.get("uri") or "") if isinstance(kept, dict) else ""


def _inline(status: Manifest) -> bytes | None:
    kept = status.get("flyteState")
    if kept is None:
        return None
    try:
        if kept["v"] != VERSION:
            raise InvalidInput(f"the status is of version {kept['v']}, this data plane reads version {VERSION}")
        return base64.b64decode(kept["d"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"the status is damaged: {type(error).__name__}: {error}") from error


async def _read(uri: str, store: BlobStore) -> bytes:
    if not store.owns(uri):
        raise InvalidInput(f"the status refers to a state at {uri[:256]}, which is not in the object store")
    try:
        return await store.read(uri)
    except NotFound as error:
        raise StateMissing(f"the status refers to a state that is not there: {error}") from error
