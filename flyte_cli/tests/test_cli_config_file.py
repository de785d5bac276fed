"""The configuration file of `flyte up`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from flyte_admin.notifications.smtp import SmtpSettings
from flyte_cli.up.config_file import effective, read_config
from flyte_cli.up.settings import ImageRule
from flyte_core.errors import ConfigError
from flyte_up import free_ports


def written(folder: Path, text: str) -> Path:
    path = folder / "flyte.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("port: 1\nhttp-port: 2\n", ":2: there is no key 'http-port': did you mean 'http_port'?"),
        ("\nzebra: 1\n", ":2: there is no key 'zebra': keys are host, port"),
        ("port: 70000\n", ":1: port: 70000 is no port"),
        ("port: true\n", ":1: port: True is no port"),
        ("s3_port: '80'\n", ":1: s3_port: '80' is no port"),
        ("host: 0.0.0.0\n", ":1: host 0.0.0.0: without authentication"),
        ("host: here there\n", ":1: host 'here there' is not an address"),
        ("port: 1\n\nport: 2\n", ":3: 'port' is given twice"),
        ("images: [a]\n", ":1: images: give keys and values"),
        ("images:\n  'a*': /nonexistent\n", ":2: images.a*: /nonexistent does not exist"),
        ("projects: vision\n", ":1: projects: give a list"),
        ("projects:\n - vision\n - 3\n", ":3: projects: 3 is no text"),
        ("mail: smtp.x.org\n", ":1: mail: give keys and values"),
        ("mail:\n host: smtp.x.org\n", ":2: mail: sender is missing"),
        ("mail:\n host: h\n sender: s\n password-env: P\n", ":4: there is no key 'mail.password-env': did you mean"),
        ("mail:\n host: h\n sender: s\n port: 0\n", ":4: mail.port: 0 is no port"),
        ("mail:\n host: h\n sender: s\n security: ssl\n", ":2: mail.security: give one of starttls, tls, none"),
        ("plugins: pod\n", ":1: plugins: give keys and values"),
        ("- port\n", ":1: the file: give keys and values"),
        ("port: [1\n", ":2: this is not YAML"),
        ("host: !!python/object/apply:os.system ['true']\n", ":1: this is not YAML"),
        ("a: 1\n---\nb: 2\n", ":2: this is not YAML"),
    ],
    ids=lambda text: "".join(letter if letter.isalnum() else "-" for letter in text[:30]),
)
def test_a_mistake_is_named_with_file_and_line(tmp_path, text, wanted) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}{wanted}")


def test_a_mail_server_is_taken_over(tmp_path) -> None:
    text = "mail: {host: smtp.x.org, sender: flyte@x.org, security: tls, port: 465, user: u, password_env: P}\n"
    mail = effective(tmp_path, read_config(written(tmp_path, text)), {}).mail
    assert mail == SmtpSettings("smtp.x.org", "flyte@x.org", 465, "tls", "u", "P")


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    (tmp_path / "flyte.yaml").write_bytes(b"\xff\xfe\xff")
    for path in (tmp_path / "flyte.yaml", tmp_path):
        with pytest.raises(ConfigError, match=str(path)):
            read_config(path)


def test_an_empty_file_changes_nothing(tmp_path) -> None:
    assert read_config(written(tmp_path, "# nothing yet\n")) == {}


def test_the_command_line_wins(tmp_path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "bin").mkdir()
    (tmp_path / "env" / "bin" / "python").symlink_to(sys.executable)
    text = "host: localhost\nport: 1234\nprojects: [vision]\nimages: {'b*': env, 'a*': env/bin/python}\n"
    file = read_config(written(tmp_path, text))
    mine = ImageRule.parse(f"c*={sys.executable}")
    settings = effective(tmp_path, file, {"port": 4321, "images": [mine], "projects": ["sound", "vision"]})
    assert (settings.host, settings.port, settings.http_port) == ("localhost", 4321, 8088)
    assert settings.projects == ("flytesnacks", "sound", "vision")
    assert [rule.pattern for rule in settings.images] == ["c*", "b*", "a*"]
    assert {rule.python for rule in settings.images[1:]} == {tmp_path / "env" / "bin" / "python"}


def up(data: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "flyte_cli", "up", "--data", str(data), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_file_in_the_data_folder_is_used(tmp_path) -> None:
    grpc, http, s3 = free_ports(3)
    (tmp_path / "data").mkdir()
    text = f"port: {grpc}\nhttp_port: {http}\ns3_port: {s3}\nprojects: [vision]\n"
    text += "plugins:\n  pod:\n    default-labels: {team: a}\n    logs: {templates: []}\n"
    written(tmp_path / "data", text)
    process = up(tmp_path / "data")
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if "ready" in line:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/api/v1/projects", timeout=10) as answer:
            projects = {project["id"] for project in json.load(answer)["projects"]}
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
    assert projects == {"flytesnacks", "vision"}, err
    assert f"127.0.0.1:{grpc}" in printed


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plugins:\n  pod: {default-labels: 3}\n", "plugins.pod"),
        ("plugins:\n  pod: {defualt-labels: {}}\n", "did you mean 'default-labels'"),
        ("plugins:\n  spork: {}\n", "plugins.spork: no plugin of that name is installed"),
        ("plugins:\n  disabled: pod\n", "plugins.disabled must be a list"),
        ("plugins:\n  pod: 3\n", "plugins.pod"),
    ],
    ids=["kind", "key", "name", "disabled", "section"],
)
def test_a_mistake_in_a_plugins_section_is_known_at_the_start(tmp_path, text, wanted) -> None:
    path = written(tmp_path, text)
    grpc, http, s3 = map(str, free_ports(3))
    process = up(tmp_path / "data", "--config", str(path), "--port", grpc, "--http-port", http, "--s3-port", s3)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    [line] = err.splitlines()
    assert line.startswith(f"flyte: {path}: ")
    assert wanted in line


def test_a_file_that_is_not_there_is_an_error_only_where_it_was_named(tmp_path) -> None:
    process = up(tmp_path / "data", "--config", str(tmp_path / "nosuch.yaml"))
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err == f"flyte: --config {tmp_path}/nosuch.yaml: there is no such file\n"


def test_the_merge_keeps_the_links_to_logs(tmp_path) -> None:
    from flyte_cli.up.plugins import merged

    own = {"pod": {"logs": {"kubernetes-template-uri": "x"}}}
    file = {"pod": {"default-cpus": "1", "logs": {"templates": []}}, "disabled": ["s3"]}
    assert merged(own, file) == {
        "pod": {"logs": {"kubernetes-template-uri": "x", "templates": []}, "default-cpus": "1"},
        "disabled": ["s3"],
    }
    assert merged(own, {"pod": {"logs": None}}) == {"pod": {"logs": None}}
