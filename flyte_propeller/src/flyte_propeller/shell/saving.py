"""Stores a step's state by compare-and-swap: the write-ahead intent of everything that follows."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from flyte_core import paths
from flyte_core.cluster import Cluster, Manifest
from flyte_core.errors import TooLarge
from flyte_core.storage import BlobStore
from flyte_propeller.machine.effects import Finish, Step
from flyte_propeller.serde import inline_state, referred_state, status_of
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.execution import Execution

FINALIZER = "flyte.org/finalizer"
STATES = ".state"
"""Folder in the execution's folder."""
STATES_KEPT = 2
"""States in the object store that are kept: the stored one, and the one before for those who are reading it."""


async def save(
    execution: Execution, step: Step, cluster: Cluster, store: BlobStore, settings: PropellerSettings, now: datetime
) -> None:
    """Store the new state; the last time, with the labels of an ended workflow and without our finalizer.

    :raises flyte_core.errors.Conflict: if somebody else has written in between
    :raises flyte_core.errors.NotFound: if the FlyteWorkflow is gone
    :raises flyte_core.errors.TooLarge: if the FlyteWorkflow is too large even with its state elsewhere
    """
    execution.writer.resize(len(execution.workflow.nodes) + len(step.grown))
    execution.writer.note(step.state, step.touched)
    try:
        encoded = execution.writer.encode(step.state)
        uri = await _put_aside(execution, encoded, store) if len(encoded) > settings.status_limit else ""
        try:
            execution.manifest = await cluster.replace(_manifest(execution, step, encoded, uri, now))
        except TooLarge:
            if uri:
                raise
            uri = await _put_aside(execution, encoded, store)
            execution.manifest = await cluster.replace(_manifest(execution, step, encoded, uri, now))
    except BaseException:
        execution.writer.note(execution.state, step.touched)
        raise
    if uri and uri not in execution.overflow:
        execution.overflow.append(uri)


async def discard_old_states(execution: Execution, store: BlobStore) -> None:
    """Delete states in the object store that nobody reads any more; at the end also those of other propellers."""
    while len(execution.overflow) > STATES_KEPT:
        await store.delete(execution.overflow[0])
        del execution.overflow[0]
    if execution.finished:
        async for blob in store.list(paths.join(execution.workflow.data_dir, STATES, "")):
            await store.delete(blob.uri)


async def _put_aside(execution: Execution, encoded: bytes, store: BlobStore) -> str:
    """Write the state to the object store under a name that only this content has; nobody's state is overwritten."""
    uri = paths.join(execution.workflow.data_dir, STATES, hashlib.sha256(encoded).hexdigest()[:32])
    await store.write(uri, encoded)
    return uri


def _manifest(execution: Execution, step: Step, encoded: bytes, uri: str, now: datetime) -> dict[str, Any]:
    status = status_of(step.state, execution.workflow.data_dir, now)
    status["flyteState"] = referred_state(uri) if uri else inline_state(encoded)
    manifest = {**execution.manifest, "status": status}
    if any(isinstance(effect, Finish) for effect in step.effects):
        manifest["metadata"] = ended_metadata(execution.manifest["metadata"], now)
    return manifest


def ended_metadata(metadata: Manifest, now: datetime) -> dict[str, Any]:
    """Return the metadata of an ended FlyteWorkflow: upstream's labels, and no finalizer of ours."""
    labels = {
        **(metadata.get("labels") or {}),
        "termination-status": "terminated",
        "completed-time": now.strftime("%Y-%m-%d.%H"),
    }
    finalizers = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
    return {**metadata, "labels": labels, "finalizers": finalizers}
