"""The hash of messages: upstream's own values."""

from __future__ import annotations

import base64

import pytest
from flyteidl.core.interface_pb2 import VariableMap
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Scalar
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from flyte_core.object_hash import hash_json, hash_message


def text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_a_whole_object_has_upstreams_hash() -> None:
    partly = {"integer": "18", "floatValue": 1.3, "stringValue": "lets test this", "boolean": True}
    assert base64.b64encode(hash_json(partly)) == b"GhPMTKvJfUPHK8U3vEmoi/wdVBx7IQSPqyjGXAZzquI="
    whole = {
        **partly,
        "datetime": "2019-03-29T12:00:00Z",
        "duration": "0.001s",
        "mapValue": {"z": "last", "a": "first"},
        "collections": ["1", "2", "3"],
    }
    assert base64.b64encode(hash_json(whole)) == b"YpWyLCP1NW0DVk3Hj64tK70H/9t+5fQlj7yyDK2lSEQ="


def test_interfaces_and_inputs_have_upstreams_hashes() -> None:
    assert text(hash_message(VariableMap()))[:8] == "GKw-c0Pw"
    two = VariableMap()
    inputs = LiteralMap()
    for number in (1, 2):
        two.variables[str(number)].type.simple = 1
        inputs.literals[str(number)].scalar.primitive.integer = number
    assert text(hash_message(two))[:8] == "UxVtPm0k"
    assert text(hash_message(inputs)) == "GQid5LjHbakcW68DS3P2jp80QLbiF0olFHF2hTh5bg8"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_each_number_has_a_hash_of_its_own(number: float) -> None:
    assert hash_json(number) == hash_json(float(repr(number)))
    if number:
        assert hash_json(number) != hash_json(-number)
        assert hash_json(number) != hash_json(number * 2 if abs(number) < 1e300 else number / 2)


def test_what_json_has_not_cannot_be_hashed() -> None:
    generic = Struct()
    generic["x"] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        hash_message(Literal(scalar=Scalar(generic=generic)))
    with pytest.raises(ValueError, match="inf"):
        hash_json(float("inf"))
