"""`flyte describe`: everything about one thing."""

from __future__ import annotations

import json

import pytest
import yaml


def described(up, *arguments: str) -> dict:
    found = json.loads(up.flyte("describe", *arguments, "-o", "json"))
    assert yaml.safe_load(up.flyte("describe", *arguments, "-o", "yaml")) == found
    return found


def test_a_failed_execution_tells_who_when_and_why(up, broken) -> None:
    text = up.flyte("describe", "execution", broken)
    for part in ("phase:", "FAILED", "ex:flytesnacks:development:broken", "lp:flytesnacks:development:breaks:1"):
        assert part in text
    assert '  File "/opt/a-rather-long-path/to/some/site-packages/program.py", line 1' in text
    assert f"log: {up.server.http}/logs/flytesnacks-development/broken-n1-0/broken-n1-0" in text
    assert "start-node" not in text


def test_an_error_stands_once_with_its_attempt(up, broken) -> None:
    _, tree = up.flyte("describe", "execution", broken).split("\nnodes:\n")
    assert tree.count("the <b>boiler</b> is cold") == 1


def test_an_execution_as_data(up, nested) -> None:
    data = described(up, "execution", nested)
    assert data["phase"] == "SUCCEEDED"
    assert data["inputs"] == {"n": 5}
    assert data["outputs"]["o1"] == {"x": 5, "y": "why"}
    assert data["outputs"]["o0"].endswith("/out.txt")
    assert data["error"] is None
    nodes = {node["node"]: node for node in data["nodes"]}
    assert (nodes["n0"]["name"], nodes["n0"]["depth"], nodes["n0"]["attempts"]) == ("inner", 0, [])
    assert nodes["n0-0-n0"]["depth"] == 1
    assert nodes["n0-0-n0"]["task"].startswith("tsk:flytesnacks:development:shapes.write:")
    assert [attempt["phase"] for attempt in nodes["n0-0-n0"]["attempts"]] == ["SUCCEEDED"]


def test_resources_of_an_execution(up, nested) -> None:
    rows = described(up, "execution", nested, "--resources")["resources"]
    assert {"node": "n0-0-n0", "requests": "cpu 1, memory 100Mi", "limits": ""} in rows


def test_every_attempt_is_shown_with_its_own_error(up, tmp_path) -> None:
    up.register("stumbles", f"if mkdir {tmp_path / 'mark'}; then echo ouch; exit 3; fi", retries=1)
    up.wait(up.launch("stumbles", "stumbles1"))
    [node] = [node for node in described(up, "execution", "stumbles1")["nodes"] if node["node"] == "n0"]
    assert [attempt["phase"] for attempt in node["attempts"]] == ["FAILED", "SUCCEEDED"]
    assert "exit code (3)" in node["attempts"][0]["error"]["message"]
    assert node["error"] is None
    assert "exit code (3)" in up.flyte("describe", "execution", "stumbles1")


def test_a_node_with_its_values(up, nested) -> None:
    data = described(up, "node", nested, "n1")
    assert (data["name"], data["inputs"], data["outputs"]) == ("make", {"n": 5}, {"o0": {"x": 5, "y": "why"}})
    assert data["attempts"][0]["reasons"]
    assert "attempt 0:" in up.flyte("describe", "node", nested, "n1")


def test_a_task(up, nested) -> None:
    data = described(up, "task", "shapes.write")
    assert data["inputs"] == {"n": "INTEGER"}
    assert data["resources"]["requests"] == {"cpu": "1", "memory": "100Mi"}
    assert data["environment"] == {"API_TOKEN": "***", "MODE": "fast"}
    assert [each["version"] for each in data["versions"]] == [data["task"].rsplit(":", 1)[1]]
    assert "hush" not in up.flyte("describe", "task", "shapes.write")


def test_a_workflow(up, nested) -> None:
    data = described(up, "wf", "shapes.outer", "--resources")
    assert [(node["node"], node["runs"], node["after"]) for node in data["nodes"]] == [
        ("n0", "workflow shapes.inner", ""),
        ("n1", "task shapes.make", ""),
    ]
    assert {"task": "shapes.write", "resources": "requests: cpu 1, memory 100Mi"} in data["resources"]


def test_nodes_of_a_workflow_name_those_before_them(up, broken) -> None:
    assert [node["after"] for node in described(up, "workflow", "breaks")["nodes"]] == ["", "n0"]


def test_a_launch_plan(up, nested) -> None:
    data = described(up, "launchplan", "shapes.outer")
    assert data["inputs"] == {"n": "INTEGER = 3"}
    assert data["state"] == "INACTIVE"
    assert [each["state"] for each in data["versions"]] == ["INACTIVE"]


def test_an_id_tells_its_kind(up, broken) -> None:
    assert described(up, "ex:flytesnacks:development:broken")["phase"] == "FAILED"
    assert described(up, "tsk:flytesnacks:development:breaks.task0:1")["image"] == "any"
    assert described(up, "lp:flytesnacks:development:breaks")["workflow"] == "wf:flytesnacks:development:breaks:1"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("task", "nosuch"), "`flyte get tasks` lists what is"),
        (("launch-plan", "nosuch"), "`flyte get launch-plans` lists what is"),
        (("task", "breaks.task0", "77"), "`flyte get tasks breaks.task0` lists the versions"),
        (("execution", "nosuch"), "`flyte get executions -p flytesnacks -d development` lists those"),
        (("node", "broken", "n77"), "n77"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_named(up, broken, arguments, complaint) -> None:
    error = up.flyte("describe", *arguments, code=1)
    assert error.count("\n") == 1
    assert complaint in error
