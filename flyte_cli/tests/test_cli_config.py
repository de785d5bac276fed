"""`flyte config`: writes the file that every client reads, and says where each setting comes from."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable

import pytest
import yaml

from command_here import run_here

Flyte = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def flyte(tmp_path) -> Flyte:
    """`flyte` of a user whose home is empty."""
    bare = {name: None for name in os.environ if name.startswith(("FLYTE", "XDG_", "AWS_"))}

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        with contextlib.chdir(tmp_path):
            return run_here(arguments, {**bare, "HOME": str(tmp_path), **variables}, seconds=30)

    return run


def said(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[object, str]]:
    assert done.returncode == 0, done.stderr
    return {row["setting"]: (row["value"], row["from"]) for row in json.loads(done.stdout)}


def test_the_file_is_written_for_a_host_and_used_from_then_on(flyte, tmp_path) -> None:
    done = flyte("config", "init", "--host", "flyte.example.com", "--console", "console.example.com")
    assert done.returncode == 0, done.stderr
    path = tmp_path / ".flyte" / "config.yaml"
    written = yaml.safe_load(path.read_text())
    assert written["admin"] == {"endpoint": "dns:///flyte.example.com", "authType": "Pkce", "insecure": False}
    assert written["console"] == {"endpoint": "https://console.example.com"}
    assert path.stat().st_mode & 0o777 == 0o600
    shown = said(flyte("config", "show", "-o", "json"))
    assert shown["admin.endpoint"] == ("dns:///flyte.example.com", str(path))
    assert flyte("config", "validate").stdout == f"{path} is valid\n"


@pytest.mark.parametrize(
    ("host", "endpoint", "insecure"),
    [
        ("https://flyte.example.com/", "dns:///flyte.example.com", False),
        ("http://localhost:30080", "dns:///localhost:30080", True),
        ("dns:///flyte.example.com:443", "dns:///flyte.example.com:443", False),
    ],
)
def test_a_host_may_be_a_url(flyte, tmp_path, host, endpoint, insecure) -> None:
    assert flyte("config", "init", "--host", host, "--file", "here.yaml").returncode == 0
    admin = yaml.safe_load((tmp_path / "here.yaml").read_text())["admin"]
    assert (admin["endpoint"], admin["insecure"]) == (endpoint, insecure)


def test_without_a_host_it_is_for_the_server_of_this_machine(flyte, up, tmp_path) -> None:
    done = flyte("config", "init", FLYTE_DATA=str(up.server.data))
    assert done.returncode == 0, done.stderr
    assert json.loads(flyte("get", "projects", "-o", "json").stdout)
    hidden = flyte("config", "show")
    assert "storage.connection.secret-key" in hidden.stdout
    keys = yaml.safe_load((tmp_path / ".flyte" / "config.yaml").read_text())["storage"]["connection"]
    assert keys["secret-key"] not in hidden.stdout


def test_a_file_that_is_there_is_not_written_over_without_a_question(flyte, tmp_path) -> None:
    (tmp_path / "mine.yaml").write_text("admin: {}\n")
    done = flyte("config", "init", "--file", "mine.yaml")
    assert done.returncode == 2
    assert "say --yes" in done.stderr
    assert (tmp_path / "mine.yaml").read_text() == "admin: {}\n"
    assert flyte("config", "init", "--file", "mine.yaml", "--force").returncode == 0
    assert "dns:///127.0.0.1:8089" in (tmp_path / "mine.yaml").read_text()


def test_the_environment_wins_and_is_named(flyte) -> None:
    flyte("config", "init", "--host", "flyte.example.com")
    variables = {
        "FLYTE_PLATFORM_URL": "other:1",
        "FLYTE_DEFAULT_PROJECT": "mine",
        "FLYTE_CREDENTIALS_CLIENT_SECRET": "s3",
    }
    done = flyte("config", "show", "-o", "json", **variables)
    shown = said(done)
    assert shown["admin.endpoint"] == ("other:1", "$FLYTE_PLATFORM_URL")
    assert shown["task.project"] == ("mine", "$FLYTE_DEFAULT_PROJECT")
    assert shown["task.domain"] == ("development", "default")
    assert shown["FLYTE_CREDENTIALS_CLIENT_SECRET"] == ("***", "$FLYTE_CREDENTIALS_CLIENT_SECRET")


def test_all_that_is_wrong_is_told_at_once(flyte, tmp_path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "admin:\n  insecure: perhaps\n  endpiont: dns:///x\nstorage:\n  connection:\n    endpoint: localhost:9000\n"
    )
    done = flyte("config", "validate", "--file", "bad.yaml")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    for wanted in ("perhaps", "admin.endpoint: is missing", "'localhost:9000' is no URL"):
        assert wanted in line
    assert "admin.endpiont: nobody reads this; did you mean admin.endpoint?" in done.stdout


def test_keys_that_nobody_reads_are_wrong_only_for_the_strict(flyte, tmp_path) -> None:
    (tmp_path / "odd.yaml").write_text(
        "admin:\n  endpoint: dns:///x\n  maxRetries: 4\nlogger: {level: 1}\ncolour: red\n"
    )
    assert flyte("config", "validate", "--file", "odd.yaml").returncode == 0
    done = flyte("config", "validate", "--file", "odd.yaml", "--strict", "-o", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [problem["key"] for problem in found["problems"]] == ["colour"]
    assert found["valid"] is False


def test_the_first_file_is_the_one_that_is_read(flyte, tmp_path) -> None:
    def states(**variables: str) -> list[str]:
        return [row["state"] for row in json.loads(flyte("config", "discover", "-o", "json", **variables).stdout)]

    assert states() == ["missing"] * 4
    assert "flyte config init" in flyte("config", "validate").stderr
    flyte("config", "init", "--host", "flyte.example.com")
    assert states() == ["missing", "missing", "used", "missing"]
    (tmp_path / "named.yaml").write_text("admin: {endpoint: x}\n")
    assert states(FLYTECTL_CONFIG="named.yaml") == ["used", "missing", "missing", "there", "missing"]
    assert "wins" in flyte("config", "init", "--yes", FLYTECTL_CONFIG="named.yaml").stderr


@pytest.mark.parametrize(
    ("arguments", "wanted", "code"),
    [
        (("init", "--host", "two words"), "two words", 1),
        (("init", "--console", "x"), "--host", 2),
        (("validate", "--file", "nosuch.yaml"), "nosuch.yaml", 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_one_line(flyte, arguments, wanted, code) -> None:
    done = flyte("config", *arguments)
    assert done.returncode == code
    [line] = done.stderr.splitlines()
    assert wanted in line
