"""Inputs of nodes: promises, attribute paths, collections, maps, unions, offloaded literals."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from flyteidl.core.literals_pb2 import (
    Binary,
    Literal,
    LiteralCollection,
    LiteralMap,
    LiteralOffloadedMetadata,
    Primitive,
    Scalar,
)
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

from driving import SUCCESS, Driven, failed, integer, task, workflow


def text(value: str) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(string_value=value)))


def packed(value: Any) -> Literal:
    return Literal(scalar=Scalar(binary=Binary(value=msgpack.packb(value), tag="msgpack")))


def struct(**fields: Any) -> Literal:
    document = Struct()
    document.update(fields)
    return Literal(scalar=Scalar(generic=document))


def promise(*path: str | int, node: str = "a", var: str = "o") -> dict[str, Any]:
    steps = [{"intValue": step} if isinstance(step, int) else {"stringValue": step} for step in path]
    return {"promise": {"nodeId": node, "var": var, "attrPath": steps}}


async def resolved(binding: dict[str, Any], output: Literal) -> Literal | str:
    """Run ``a → b``; return what b gets for this binding of its input, or the error's message."""
    node = {**task("a"), "inputBindings": [{"var": "v", "binding": binding}]}
    driven = Driven(workflow({"a": task(), "b": node}))
    driven.host.outputs["a"] = LiteralMap(literals={"o": output})
    await driven.start()
    await driven.show("a", SUCCESS)
    if "x-b-0" in driven.host.contexts:
        assert driven.host.contexts["x-b-0"].inputs == await driven.read("b/data/inputs.pb")
        return driven.host.contexts["x-b-0"].inputs.literals["v"]
    (error,) = driven.errors("b")
    assert error.code == "BindingResolutionFailure"
    assert error.kind == error.SYSTEM
    assert driven.of("b") == ["FAILED"]
    assert driven.of("workflow")[-1] == "FAILED"
    return error.message


LIST = Literal(collection=LiteralCollection(literals=[integer(1), integer(2)]))
MAP = Literal(map=LiteralMap(literals={"k": LIST}))
ONE = {"scalar": {"primitive": {"integer": "1"}}}


@pytest.mark.parametrize(
    ("binding", "output", "expected"),
    [
        pytest.param(promise(), integer(7), integer(7), id="promise"),
        pytest.param(ONE, integer(7), integer(1), id="scalar"),
        pytest.param(promise(1), LIST, integer(2), id="list item"),
        pytest.param(promise("k", 0), MAP, integer(1), id="map then list"),
        pytest.param(promise("f", "g"), struct(f={"g": "h"}), text("h"), id="struct"),
        pytest.param(promise("f", 1), packed({"f": [1, 2.5]}), packed(2.5), id="msgpack"),
        pytest.param(
            {"collection": {"bindings": [ONE, promise()]}},
            integer(2),
            LIST,
            id="collection",
        ),
        pytest.param(
            {"map": {"bindings": {"k": {"collection": {"bindings": [ONE, promise()]}}}}}, integer(2), MAP, id="map"
        ),
    ],
)
async def test_a_binding_is_resolved(binding: dict[str, Any], output: Literal, expected: Literal) -> None:
    assert await resolved(binding, output) == expected


async def test_a_union_keeps_its_case() -> None:
    union = {"scalar": {"union": {"value": ONE, "type": {"simple": "INTEGER"}}}}
    literal = await resolved(union, integer(0))
    assert isinstance(literal, Literal)
    assert literal.scalar.union.value == integer(1)


@pytest.mark.parametrize(
    ("binding", "output", "words"),
    [
        (promise(var="other"), integer(1), ["v", "a", "other"]),
        (promise(5), LIST, ["PromiseAttributeResolveError", "a.o[5]", "list of 2"]),
        (promise("x"), MAP, ["PromiseAttributeResolveError", "x", "not in the map"]),
        (promise("f"), integer(1), ["PromiseAttributeResolveError", "primitive has no attributes"]),
        (promise("f", "g"), packed({"f": {}}), ["PromiseAttributeResolveError", "g"]),
        (promise("f"), packed([1]), ["PromiseAttributeResolveError", "f"]),
        (promise(node="nowhere"), integer(1), ["no node", "nowhere"]),
    ],
)
async def test_what_cannot_be_resolved_fails_the_node_and_names_the_path(binding, output, words) -> None:
    message = await resolved(binding, output)
    assert isinstance(message, str)
    assert message.startswith("BindingResolutionError: node [b]")
    assert all(word in message for word in words), message


async def test_an_offloaded_literal_is_read_before_it_is_walked() -> None:
    node = {**task("a"), "inputBindings": [{"var": "v", "binding": promise(1)}]}
    driven = Driven(workflow({"a": task(), "b": node}))
    uri = "s3://flyte/data/big.pb"
    await driven.store.write(uri, LIST.SerializeToString())
    reference = Literal(offloaded_metadata=LiteralOffloadedMetadata(uri=uri, size_bytes=1))
    driven.host.outputs["a"] = LiteralMap(literals={"o": reference})
    await driven.start()
    await driven.show("a", SUCCESS)
    assert driven.host.contexts["x-b-0"].inputs.literals["v"] == integer(2)


async def test_workflow_inputs_and_outputs_lie_where_upstream_has_them() -> None:
    inputs = MessageToDict(LiteralMap(literals={"x": integer(4)}))
    node = {**task(), "inputBindings": [{"var": "v", "binding": promise(node="start-node", var="x")}]}
    outputs = [{"var": "r", "binding": promise()}]
    driven = Driven(workflow({"a": node}, inputs=inputs, outputs=outputs))
    driven.host.outputs["a"] = LiteralMap(literals={"o": integer(5)})
    await driven.start()
    await driven.show("a", SUCCESS)
    assert await driven.read("start-node/data/0/outputs.pb") == ParseDict(inputs, LiteralMap())
    assert (await driven.read("a/data/inputs.pb")).literals["v"] == integer(4)
    assert (await driven.read("end-node/data/0/outputs.pb")).literals["r"] == integer(5)
    assert driven.admin.events[-1].event.output_uri.endswith("/p-d-x/end-node/data/0/outputs.pb")


async def test_outputs_of_the_attempt_that_succeeded_count() -> None:
    driven = Driven(workflow({"a": task(retry={"minAttempts": 2}), "b": task("a")}))
    await driven.start()
    await driven.store.write("s3://flyte/metadata/propeller/p-d-x/a/data/0/outputs.pb", b"not of this attempt")
    await driven.show("a", failed())
    driven.new_propeller()
    await driven.show("a", SUCCESS, 1)
    assert driven.host.contexts["x-b-0"].inputs.literals["i0"] == integer(1)


async def test_inputs_above_the_limit_name_the_node_the_size_and_the_setting() -> None:
    message = await resolved(promise(), text("x" * (11 * 2**20)))
    assert isinstance(message, str)
    assert all(word in message for word in ("[a]", "limit"))
