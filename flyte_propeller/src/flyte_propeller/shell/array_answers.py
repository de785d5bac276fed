"""Answers about array nodes: lists read whole, the inputs of one element, the outputs of all."""

from __future__ import annotations

import asyncio

from flyteidl.core.literals_pb2 import Literal, LiteralMap, Scalar, Void
from google.protobuf.message import DecodeError

from flyte_core.errors import NotFound, TooLarge
from flyte_core.storage import BlobStore
from flyte_propeller.machine.addresses import element_address, element_of, node_of
from flyte_propeller.machine.array_inputs import element_inputs
from flyte_propeller.machine.array_state import SLOT, SUCCEEDED
from flyte_propeller.machine.effects import GatherOutputs
from flyte_propeller.machine.facts import BindingFailure
from flyte_propeller.machine.workflow import Node, Workflow
from flyte_propeller.shell.bindings import ReadLiteral

READS_AT_ONCE = 64
"""Outputs of elements that are read at the same time."""
NONE = Literal(scalar=Scalar(none_type=Void()))
"""Output of an element that has failed in an array node that has not."""


async def with_whole_lists(inputs: LiteralMap, read_literal: ReadLiteral) -> LiteralMap:
    """Return the inputs with literals that are kept apart read: of a list, how many elements it has is to be known."""
    apart = [name for name, literal in inputs.literals.items() if literal.HasField("offloaded_metadata")]
    if not apart:
        return inputs
    whole = LiteralMap()
    whole.CopyFrom(inputs)
    for name in sorted(apart):
        whole.literals[name].CopyFrom(await read_literal(inputs.literals[name].offloaded_metadata.uri))
    return whole


async def written_element_inputs(workflow: Workflow, address: int, inputs: LiteralMap, store: BlobStore) -> LiteralMap:
    """Write the inputs of one element to a file of its own, and return them.

    :param inputs: of the array node
    """
    array = workflow.nodes[node_of(address)].array
    own = element_inputs(inputs, array.bound if array is not None else (), element_of(address))
    await store.write(workflow.inputs_of(workflow.at(address)), own.SerializeToString(deterministic=True))
    return own


async def gathered_outputs(
    workflow: Workflow, ask: GatherOutputs, store: BlobStore, limit: int
) -> LiteralMap | BindingFailure:
    """Write the outputs of an array node: a list of those of its elements for each output.

    :param limit: bytes of one outputs object
    """
    outer, places = workflow.nodes[ask.node], asyncio.Semaphore(READS_AT_ONCE)
    names = _outputs_of_task(outer)

    async def read(element: int, outcome: int, attempt: int) -> LiteralMap:
        if outcome != SUCCEEDED or names == set():
            return LiteralMap()
        uri = workflow.paths_of(workflow.at(element_address(ask.node, element))).outputs(attempt)
        async with places:
            return LiteralMap.FromString(await store.read(uri, limit=limit))

    ended = enumerate(SLOT.iter_unpack(ask.ended))
    try:
        every = await asyncio.gather(*(read(element, *end) for element, end in ended))
    except (NotFound, TooLarge, DecodeError) as error:
        return BindingFailure(f"outputs of an element of node [{outer.id}] cannot be read: {error}", "OutputsNotFound")
    if names is None:  # of a launch plan: what it gave, and what others expect of it where it gave nothing
        names = {name for own in every for name in own.literals} | _wanted_of(workflow, outer)
    outputs = LiteralMap()
    for name in sorted(names):
        literals = outputs.literals[name].collection.literals
        literals.extend(own.literals.get(name, NONE) for own in every)
        outputs.literals[name].collection.SetInParent()
    data = outputs.SerializeToString(deterministic=True)
    if len(data) > limit:
        text = f"outputs of node [{outer.id}] are {len(data)} bytes, the limit (output_limit) is {limit}"
        return BindingFailure(text, "OutputSizeExceeded")
    await store.write(workflow.paths_of(outer).outputs(0), data)
    return outputs


def _outputs_of_task(outer: Node) -> set[str] | None:
    """Return the names of the outputs of an array node's task; None where it maps a launch plan."""
    assert outer.array is not None, "an array node has an element"
    task = outer.array.element.task
    return set(task.interface.outputs.variables) if task is not None else None


def _wanted_of(workflow: Workflow, outer: Node) -> set[str]:
    """Return the names of the node's outputs that other nodes take."""
    bindings = [binding.binding for node in workflow.nodes for binding in node.bindings]
    wanted = set()
    while bindings:
        data = bindings.pop()
        bindings += [*data.collection.bindings, *data.map.bindings.values()]
        if data.HasField("promise") and data.promise.node_id == outer.unique_id:
            wanted.add(data.promise.var)
    return wanted
