"""`flyte get`, `flyte logs`, `flyte terminate` and `flyte relaunch` against a running server."""

from __future__ import annotations

import json
import signal

import pytest
import yaml

KINDS = ("projects", "tasks", "workflows", "launch-plans", "executions", "nodes broken")


def test_a_failed_node_shows_the_last_line_of_its_error(up, broken) -> None:
    heading, *rows = up.flyte("get", "nodes", broken).splitlines()
    assert heading.split() == ["NODE", "PHASE", "CREATED", "DURATION", "ERROR"]
    [row] = [row for row in rows if row.startswith("n1")]
    assert "FAILED" in row
    assert row.rstrip().endswith("ValueError: the <b>boiler</b> is cold")


def test_the_error_of_a_node_is_whole_in_json(up, broken) -> None:
    nodes = {row["id"]["node_id"]: row for row in json.loads(up.flyte("get", "nodes", broken, "-o", "json"))}
    assert "program.py" in nodes["n1"]["closure"]["error"]["message"]
    assert "boiler" in nodes["n1"]["closure"]["error"]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_there_as_json_and_as_yaml(up, broken, kind) -> None:
    as_json = json.loads(up.flyte("get", *kind.split(), "-o", "json"))
    as_yaml = yaml.safe_load(up.flyte("get", *kind.split(), "-o", "yaml"))
    assert as_json
    assert as_yaml == as_json
    assert all("id" in row for row in as_json)


def test_a_log_begins_with_its_first_line(up) -> None:
    up.register("blank", "printf '\\n\\nhello\\n\\nbye\\n'")
    up.wait(up.launch("blank", "blank1"))
    assert up.flyte("logs", "blank1") == "==> n0 attempt 0 <==\nhello\n\nbye\n"


def test_logs_of_one_node(up, broken) -> None:
    assert up.flyte("logs", broken, "n0") == "==> n0 attempt 0 <==\nall is well\n"
    both = up.flyte("logs", broken)
    assert both.index("all is well") < both.index("==> n1 attempt 0 <==") < both.index("boiler")


def test_logs_of_a_node_that_is_not_there(up, broken) -> None:
    assert up.flyte("logs", broken, "n7", code=1).count("\n") == 1


def test_a_heading_begins_a_line(up) -> None:
    up.register("unended", "printf one", "printf two")
    up.wait(up.launch("unended", "unended1"))
    assert up.flyte("logs", "unended1") == "==> n0 attempt 0 <==\none\n==> n1 attempt 0 <==\ntwo\n"


def test_following_shows_new_attempts_until_the_execution_ends(up, tmp_path) -> None:
    mark = tmp_path / "mark"
    script = f"echo first half; sleep 1; echo second half; if mkdir {mark}; then exit 1; fi"
    up.register("twice", script, retries=1)
    up.launch("twice", "twice1")
    lines = up.flyte("logs", "-f", "twice1").splitlines()
    shown = [line for line in lines if not line.startswith("mkdir")]
    attempt = ["first half", "second half"]
    assert shown == ["==> n0 attempt 0 <==", *attempt, "==> n0 attempt 1 <==", *attempt]


def test_watching_an_execution_ends_with_it(up) -> None:
    up.register("naps", "sleep 1.5")
    up.launch("naps", "nap1")
    rows = up.flyte("get", "executions", "nap1", "--watch").splitlines()
    phases = [row.split()[2] for row in rows[1:]]
    assert len(phases) > 1
    assert phases[-1] == "SUCCEEDED"
    last = up.flyte("get", "executions", "nap1", "--watch", "-o", "json").splitlines()
    assert [json.loads(line)["closure"]["phase"] for line in last] == ["SUCCEEDED"]


def test_watching_all_shows_what_changes(up) -> None:
    up.register("naps2", "sleep 0.2")
    up.launch("naps2", "seen0")  # something for the first line, whatever ran before this test
    watching = up.start("get", "executions", "--watch", "-o", "json", "--limit", "1")
    try:
        assert watching.stdout is not None
        watching.stdout.readline()
        up.launch("naps2", "seen1")
        for line in watching.stdout:
            row = json.loads(line)
            if row["id"]["name"] == "seen1" and row["closure"]["phase"] == "SUCCEEDED":
                break
    finally:
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=10)
    assert "Traceback" not in err


def test_an_execution_is_terminated_with_its_cause(up) -> None:
    up.register("sleeps", "sleep 60")
    up.launch("sleeps", "long1")
    assert "long1" in up.flyte("terminate", "long1", "--cause", "enough of it")
    assert up.wait("long1") == "ABORTED"
    [row] = json.loads(up.flyte("get", "executions", "long1", "-o", "json"))
    assert row["closure"]["abort_metadata"]["cause"] == "enough of it"
    refused = up.flyte("terminate", "long1", code=1)
    assert refused.startswith("flyte: ")
    assert refused.count("\n") == 1


def test_an_execution_is_run_again(up, broken) -> None:
    name = up.flyte("relaunch", broken).strip()
    assert name != broken
    assert up.wait(name) == "FAILED"
    assert up.flyte("relaunch", broken, "--name", "again1").strip() == "again1"
    assert "nosuch" in up.flyte("relaunch", "nosuch", code=1)
