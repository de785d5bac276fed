"""One execution in memory: its graph, its state as last stored, and what came in since."""

from __future__ import annotations

import base64
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.cluster import Manifest
from flyte_core.errors import InvalidInput, NotFound
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo
from flyte_propeller.crd import PluginOf, parse_workflow
from flyte_propeller.machine.evaluate import restart
from flyte_propeller.machine.facts import Launch
from flyte_propeller.machine.state import AttemptKey, WorkflowState
from flyte_propeller.machine.workflow import Workflow
from flyte_propeller.serde import StateWriter, decode
from flyte_propeller.settings import PropellerSettings

OUTPUTS_KEPT = 64
"""Outputs of nodes that are kept in memory per execution, latest used."""


@dataclass(slots=True)
class Inbox:
    """Facts that came in since the last round that was stored.

    :ivar dirty: attempts to look at
    :ivar whole: True to look at everything: after a load, and on a resync
    """

    launched: dict[AttemptKey, Launch | PhaseInfo] = field(default_factory=dict)
    gone: set[AttemptKey] = field(default_factory=set)
    dirty: set[int] = field(default_factory=set)
    whole: bool = False


@dataclass(slots=True)
class Execution:
    """What a propeller keeps of an execution between rounds. All of it can be loaded anew.

    :ivar manifest: the FlyteWorkflow as last read or written
    :ivar timers: node index → when to look at its deadlines
    :ivar outputs: node index → outputs, as far as they are in memory
    :ivar inputs: node index → inputs of nodes that run, as far as they are in memory
    """

    workflow: Workflow
    state: WorkflowState
    manifest: Manifest
    writer: StateWriter
    inbox: Inbox = field(default_factory=Inbox)
    timers: dict[int, datetime] = field(default_factory=dict)
    outputs: OrderedDict[int, LiteralMap] = field(default_factory=OrderedDict)
    inputs: dict[int, LiteralMap] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)
    finished: bool = False

    @property
    def resource_version(self) -> str:
        """Version of the manifest in memory."""
        return str(self.manifest["metadata"]["resourceVersion"])

    def keep_outputs(self, index: int, outputs: LiteralMap) -> None:
        """Keep a node's outputs for the nodes that need them next."""
        self.outputs[index] = outputs
        self.outputs.move_to_end(index)
        if len(self.outputs) > OUTPUTS_KEPT:
            self.outputs.popitem(last=False)


async def load(
    manifest: Manifest, store: BlobStore, settings: PropellerSettings, plugin_of: PluginOf, workflow: Workflow | None
) -> Execution:
    """Read an execution from its FlyteWorkflow.

    :param workflow: the graph where it is in memory already; it cannot change
    :raises flyte_core.errors.InvalidInput: if the FlyteWorkflow or its status cannot be understood
    """
    graph = workflow or parse_workflow(manifest, settings, plugin_of)
    status = manifest.get("status") or {}
    state = restart(graph, decode(status, await _encoded(status, store)))
    execution = Execution(graph, state, manifest, StateWriter.of(state, len(graph.nodes)), index=graph.index_by_id)
    execution.inbox.whole = True
    for index, node in state.active.items():
        known = graph.nodes[index]
        moments = [
            start + limit
            for start, limit in (
                (node.queued_at, known.active_deadline),
                (node.attempt_started_at, known.execution_deadline),
            )
            if start is not None and limit is not None
        ]
        if moments:
            execution.timers[index] = min(moments)
    return execution


async def _encoded(status: Manifest, store: BlobStore) -> bytes | None:
    kept = status.get("flyteState")
    if kept is None:
        return None
    try:
        if kept["v"] != 1:
            raise InvalidInput(f"the status is of version {kept['v']}, this data plane reads version 1")
        if "uri" in kept:
            return await store.read(kept["uri"])
        return base64.b64decode(kept["d"])
    except (KeyError, TypeError, ValueError, NotFound) as error:
        raise InvalidInput(f"the status is damaged: {type(error).__name__}: {error}") from error
