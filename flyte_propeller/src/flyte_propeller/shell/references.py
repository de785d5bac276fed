"""Fills in what a FlyteWorkflow only refers to: its graph and its inputs may lie in the object store."""

from __future__ import annotations

from flyteidl.admin.workflow_pb2 import WorkflowClosure
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from flyte_core.cluster import Manifest
from flyte_core.errors import InvalidInput, NotFound
from flyte_core.flyteworkflow import restore_closure
from flyte_core.storage import BlobStore


async def inlined(manifest: Manifest, store: BlobStore) -> Manifest:
    """Return the manifest with its graph and inputs, for reading; it must never be written back.

    :raises flyte_core.errors.InvalidInput: if an object that it refers to is missing or malformed
    """
    closure_uri, inputs_uri = manifest.get("workflowClosureReference"), manifest.get("offloadedInputs")
    try:
        if closure_uri:
            closure = WorkflowClosure.FromString(await store.read(closure_uri))
            manifest = restore_closure(manifest, closure.compiled_workflow)
        if inputs_uri:
            inputs = LiteralMap.FromString(await store.read(inputs_uri))
            manifest = {**manifest, "inputs": MessageToDict(inputs)}
    except (NotFound, DecodeError) as error:
        raise InvalidInput(f"what the FlyteWorkflow refers to cannot be read: {error}") from error
    return manifest
