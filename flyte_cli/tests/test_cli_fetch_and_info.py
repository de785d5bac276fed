"""`flyte fetch`: values here; `flyte info`: who talks to whom."""

from __future__ import annotations

import json

import pytest
import yaml

ADDRESS = "flyte://v1/flytesnacks/development/nested1"


def test_values_of_an_execution_are_printed(up, nested) -> None:
    data = json.loads(up.flyte("fetch", nested, "-o", "json"))
    assert data["inputs"] == {"n": 5}
    assert data["outputs"]["o1"] == {"x": 5, "y": "why"}
    assert "o1:" in up.flyte("fetch", f"ex:flytesnacks:development:{nested}")


def test_an_execution_is_copied_with_its_files_and_decks(up, nested, tmp_path) -> None:
    to = tmp_path / "results"
    written = json.loads(up.flyte("fetch", nested, str(to), "-o", "json"))["written"]
    assert written == [str(to / name) for name in ("inputs.json", "outputs.json", "outputs", "decks/n0-0-n0.html")]
    assert json.loads((to / "inputs.json").read_text()) == {"n": 5}
    assert (to / "outputs" / "o0" / "out.txt").read_text() == "xxxxx"
    assert "shown in the deck" in (to / "decks" / "n0-0-n0.html").read_text()


def test_addresses_name_nodes_and_variables(up, nested, tmp_path) -> None:
    assert json.loads(up.flyte("fetch", f"{ADDRESS}/n1/o/o0", "-o", "json")) == {"o0": {"x": 5, "y": "why"}}
    assert yaml.safe_load(up.flyte("fetch", f"{ADDRESS}/n1/0/i", "-o", "yaml")) == {"inputs": {"n": 5}}
    up.flyte("fetch", "-r", f"{ADDRESS}/n0-0-n0/o/o0", str(tmp_path))
    assert (tmp_path / "o0" / "out.txt").read_text() == "xxxxx"
    up.flyte("fetch", f"{ADDRESS}/n0-0-n0/d", str(tmp_path))
    assert "shown in the deck" in (tmp_path / "decks" / "n0-0-n0.html").read_text()


@pytest.mark.parametrize(
    ("what", "code", "complaint"),
    [
        (f"{ADDRESS}/n0-0-n0/d", 2, "give TO"),
        (f"{ADDRESS}/n1/d", 1, "no deck"),
        (f"{ADDRESS}/n1/o/nosuch", 1, "nosuch"),
        (f"{ADDRESS}/n1/x", 1, "not of the form"),
        ("nosuch", 1, "nosuch"),
    ],
)
def test_what_cannot_be_fetched_says_why(up, nested, what, code, complaint) -> None:
    error = up.flyte("fetch", what, code=code)
    assert error.count("\n") == 1
    assert complaint in error


def test_info_names_both_sides_and_no_keys(up) -> None:
    data = json.loads(up.flyte("info", "-o", "json"))
    assert set(data["client"]) == {"flyte-cli", "flyte-kit", "flyteidl", "python"}
    assert data["server"]["version"] == "v1.16.8"
    assert data["server"]["endpoint"] == f"127.0.0.1:{up.server.ports[0]}"
    assert data["server"]["found_in"].endswith("config.yaml")
    assert (data["project"], data["domain"]) == ("flytesnacks", "development")
    text = up.flyte("info")
    secret = json.loads((up.server.data / "credentials.json").read_text())
    assert all(value not in text for value in secret.values())


def test_info_without_a_server_says_what_is_wrong(up) -> None:
    data = json.loads(up.flyte("info", "-o", "json", FLYTE_PLATFORM_URL="127.0.0.1:1"))
    assert "no server answers at 127.0.0.1:1" in data["server"]["problem"]
    data = json.loads(up.flyte("info", "-o", "json", FLYTECTL_CONFIG="/no/such/file.yaml"))
    assert "/no/such/file.yaml" in data["server"]["problem"]
