"""Inputs of nodes that run, in memory or read again from where they were written."""

from __future__ import annotations

from flyteidl.core.literals_pb2 import Literal, LiteralMap
from google.protobuf.message import DecodeError

from flyte_core.errors import NotFound, Unavailable
from flyte_core.storage import BlobStore
from flyte_propeller.machine.addresses import element_of, is_element, node_of
from flyte_propeller.machine.array_inputs import element_inputs
from flyte_propeller.shell.array_answers import with_whole_lists
from flyte_propeller.shell.execution import Execution


async def inputs_of(execution: Execution, store: BlobStore, index: int) -> LiteralMap:
    """Return the inputs of a node that has been queued, and keep them in memory.

    :raises flyte_core.errors.Unavailable: if they cannot be read: they were written before the node was queued
    """
    kept = execution.inputs.get(index)
    if kept is not None:
        return kept
    node = execution.workflow.nodes[index]

    async def read(uri: str) -> Literal:
        return Literal.FromString(await store.read(uri))

    try:
        kept = LiteralMap.FromString(await store.read(execution.workflow.paths_of(node).inputs))
        kept = await with_whole_lists(kept, read) if node.array is not None else kept
    except (NotFound, DecodeError) as error:
        raise Unavailable(f"the inputs of node {node.id!r} were written and cannot be read: {error}") from error
    execution.inputs[index] = kept
    return kept


def kept_inputs(execution: Execution, address: int) -> LiteralMap:
    """Return the inputs in memory: of an element, its part of those of its array node."""
    array = execution.workflow.nodes[node_of(address)].array
    if array is None or not is_element(address):
        return execution.inputs[address]
    return element_inputs(execution.inputs[node_of(address)], array.bound, element_of(address))
