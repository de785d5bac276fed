"""Branches: the first case that holds runs, under the branch; what is not chosen is never looked at."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.core.condition_pb2 import BooleanExpression, ComparisonExpression
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.json_format import MessageToDict, ParseDict

from driving import RUNNING, SUCCESS, Driven, failed, task, workflow
from flyte_propeller.machine.conditions import Malformed, holds


def over(number: int) -> dict[str, Any]:
    """Return the condition `.x > number`."""
    right = {"primitive": {"integer": number}}
    return {"comparison": {"operator": "GT", "leftValue": {"var": ".x"}, "rightValue": right}}


def branch(x: int, cases: dict[str, int], *, otherwise: str = "", fail: str = "") -> dict[str, Any]:
    """Return a branch node over ``x``; ``cases`` maps the id of a case's node to the number that x must be above."""
    blocks = [{"condition": over(number), "then": case} for case, number in cases.items()]
    spec: dict[str, Any] = {"if": blocks[0], "elseIf": blocks[1:]}
    if otherwise:
        spec["else"] = otherwise
    if fail:
        spec["elseFail"] = {"failed_node_id": "b", "message": fail}
    value = {"scalar": {"primitive": {"integer": x}}}
    return {"kind": "branch", "branch": spec, "inputBindings": [{"var": ".x", "binding": value}]}


def with_cases(nodes: dict[str, Any], cases: dict[str, Any]) -> Driven:
    """Return a workflow in which the nodes of the cases stand as upstream has them: with upstream edges only."""
    manifest = workflow(nodes)
    spec: dict[str, Any] = dict(manifest["spec"])
    spec["nodes"] = {**spec["nodes"], **{key: {"id": key, "name": key, **node} for key, node in cases.items()}}
    edges = {key: list(node.get("after") or ["start-node"]) for key, node in cases.items()}
    spec["edges"] = {**spec["edges"], "upstream": {**spec["edges"]["upstream"], **edges}}
    return Driven({**manifest, "spec": spec})


@pytest.mark.parametrize(("x", "chosen"), [(9, "b-0-high"), (4, "b-0-middle"), (1, "b-0-low")])
async def test_the_first_case_that_holds_runs(x: int, chosen: str) -> None:
    nodes = {"b": branch(x, {"high": 5, "middle": 3}, otherwise="low"), "last": task("b")}
    driven = await with_cases(nodes, {"high": task(), "middle": task(), "low": task()}).start()
    await driven.show(chosen, SUCCESS)
    await driven.show("last", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    others = {"b-0-high", "b-0-middle", "b-0-low"} - {chosen}
    assert [driven.of(other) for other in others] == [[], []]


async def test_a_branch_within_a_branch() -> None:
    nodes = {"b": branch(9, {"inner": 5}, otherwise="low"), "last": task("b")}
    cases = {"inner": branch(9, {"deep": 7}, fail="no"), "deep": task(), "low": task()}
    driven = await with_cases(nodes, cases).start()
    await driven.show("b-0-inner-0-deep", SUCCESS)
    await driven.show("last", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert driven.of("b-0-inner")[-1] == driven.of("b")[-1] == "SUCCEEDED"


async def test_a_case_waits_for_what_it_needs() -> None:
    nodes = {"first": task(), "b": branch(9, {"case": 5}, fail="no"), "last": task("b")}
    driven = await with_cases(nodes, {"case": task("first")}).start()
    assert driven.of("b") == []
    await driven.show("first", SUCCESS)
    await driven.show("b-0-case", SUCCESS)
    await driven.show("last", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_a_case_that_fails_fails_its_branch() -> None:
    driven = await with_cases({"b": branch(9, {"case": 5}, fail="no")}, {"case": task()}).start()
    await driven.show("b-0-case", failed(retryable=False))
    assert [error.message for error in driven.errors("b")] == ["it broke"]
    assert driven.lines[-1] == "workflow FAILED"


async def test_no_case_that_holds_is_the_users_error() -> None:
    driven = await with_cases({"b": branch(1, {"case": 5}, fail="too small")}, {"case": task()}).start()
    (error,) = driven.errors("b")
    assert (error.code, error.message) == ("UserProvidedError", "[UserProvidedError] too small")
    assert driven.lines[-1] == "workflow FAILED"


async def test_nothing_is_lost_by_a_restart_within() -> None:
    nodes = {"b": branch(9, {"case": 5}, otherwise="low"), "last": task("b")}
    driven = await with_cases(nodes, {"case": task(), "low": task()}).start()
    for node, report in (("b-0-case", RUNNING), ("b-0-case", SUCCESS), ("last", SUCCESS)):
        driven.new_propeller()
        await driven.show(node, report)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert driven.of("b-0-low") == []
    assert len(driven.lines) == len(set(driven.lines))


def compared(left: dict[str, Any], operator: str, right: dict[str, Any]) -> bool:
    comparison = {"operator": operator, "leftValue": {"primitive": left}, "rightValue": {"primitive": right}}
    return holds(ParseDict({"comparison": comparison}, BooleanExpression()), LiteralMap())


@pytest.mark.parametrize(
    ("left", "operator", "right", "answer"),
    [
        ({"integer": 1}, "LT", {"integer": 2}, True),
        ({"floatValue": 2.0}, "GTE", {"floatValue": 2.0}, True),
        ({"stringValue": "b"}, "LTE", {"stringValue": "a"}, False),
        ({"boolean": True}, "NEQ", {"boolean": False}, True),
        ({"datetime": "2024-01-01T00:00:00.9Z"}, "EQ", {"datetime": "2024-01-01T00:00:00Z"}, True),
        ({"duration": "2s"}, "GT", {"duration": "1s"}, True),
    ],
)
def test_primitives_compare_as_upstreams(left: Any, operator: str, right: Any, answer: bool) -> None:
    assert compared(left, operator, right) is answer


@pytest.mark.parametrize(
    ("left", "operator", "right"),
    [({"integer": 1}, "EQ", {"stringValue": "1"}), ({"boolean": True}, "GT", {"boolean": False})],
)
def test_what_cannot_be_compared_is_said(left: Any, operator: str, right: Any) -> None:
    with pytest.raises(Malformed):
        compared(left, operator, right)


def test_a_variable_that_is_not_there_is_named() -> None:
    expression = ParseDict(over(1), BooleanExpression())
    assert MessageToDict(expression)["comparison"]["operator"] == ComparisonExpression.Operator.Name(2)
    with pytest.raises(Malformed, match=r"\.x"):
        holds(expression, LiteralMap())
