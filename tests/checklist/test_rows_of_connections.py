"""How a client finds its server, and proves who it is."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pandas as pd
import pytest

from flyte_kit import StructuredDataset
from flyte_kit.configuration import AuthType, Config, ImageConfig
from flyte_kit.exceptions.system import FlyteSystemUnavailableException
from flyte_kit.exceptions.user import FlyteAuthenticationException
from flyte_kit.remote import FlyteRemote
from flyte_kit.storage.stores import forget_stores
from login_server import Logins, guarded_control_plane

BROWSER = """
import sys, urllib.error, urllib.parse, urllib.request
page = sys.argv[1]
back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page).query))["redirect_uri"]
try:  # somebody else on this machine, who does not know the state
    urllib.request.urlopen(back + "?code=stolen&state=guessed")
except urllib.error.HTTPError:
    pass
urllib.request.urlopen(page)
"""


@pytest.fixture
def guarded() -> Iterator[tuple[int, Logins]]:
    with guarded_control_plane() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any settings."""
    for name in [name for name in os.environ if name.startswith(("FLYTE_", "FLYTECTL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _config(home: Path, port: int, *lines: str) -> Path:
    file = home / "config.yaml"
    file.write_text("\n".join(["admin:", f"  endpoint: dns:///127.0.0.1:{port}", "  insecure: true", *lines]) + "\n")
    return file


def _projects(file: Path) -> list[str]:
    client = FlyteRemote(Config.auto(file), "p", "d")
    try:
        return [project.id for project in client.list_projects()]
    finally:
        client.close()


def test_112_a_client_a_proves_itself_by_a_secret(
    guarded: tuple[int, Logins], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, logins = guarded
    monkeypatch.setenv("ROBOTS_SECRET", "s3cret%41+\n")
    lines = ("  authType: ClientSecret", "  clientId: robot", "  clientSecretEnvVar: ROBOTS_SECRET", "  scopes: [all]")
    file = _config(home, port, *lines)
    client = FlyteRemote(Config.auto(file), "p", "d")
    assert [project.id for project in client.list_projects()] == ["guarded"]
    assert [project.id for project in client.list_projects()] == ["guarded"]
    assert logins.grants == ["client_credentials"]
    assert logins.asked[0]["scope"] == "all"
    logins.good.clear()  # the token has come to its end
    assert client.list_projects()
    client.close()
    (home / "secret").write_text("wrong")
    wrong = _config(
        home, port, "  authType: clientsecret", "  clientId: robot", f"  clientSecretLocation: {home}/secret"
    )
    logins.good.clear()
    with pytest.raises(FlyteAuthenticationException, match="the secret is wrong"):
        _projects(wrong)


def test_112_a_client_b_gets_its_token_from_a_command(guarded: tuple[int, Logins], home: Path) -> None:
    port, logins = guarded
    logins.good = {"of-a-command"}
    printing = _config(home, port, "  authType: ExternalCommand", "  command: [echo, of-a-command]")
    assert _projects(printing) == ["guarded"]
    failing = _config(home, port, "  authType: ExternalCommand", "  command: [sh, -c, 'echo no vault >&2; exit 3']")
    with pytest.raises(FlyteAuthenticationException, match="no vault"):
        _projects(failing)


def test_112_a_client_c_shows_a_code_for_another_device(
    guarded: tuple[int, Logins], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, logins = guarded
    file = _config(home, port, "  authType: DeviceFlow")
    assert _projects(file) == ["guarded"]
    assert f"open {logins.address}/enter and enter the code ABCD" in capsys.readouterr().err
    kept = home / ".flyte" / "tokens.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert _projects(file) == ["guarded"]
    assert logins.grants == ["device_code"]  # the token was kept
    logins.good.clear()
    assert _projects(file) == ["guarded"]
    assert logins.grants == ["device_code", "refresh_token"]


def test_112_a_client_d_logs_in_in_the_browser(guarded: tuple[int, Logins], home: Path) -> None:
    port, logins = guarded
    (home / "browser.py").write_text(BROWSER)
    environment = {
        **os.environ,
        "FLYTECTL_CONFIG": str(_config(home, port)),
        "BROWSER": f"{sys.executable} {home}/browser.py %s",
    }
    command = [sys.executable, "-m", "flyte_cli", "get", "projects", "-o", "name"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "guarded" in done.stdout, done.stderr
    assert logins.grants == ["authorization_code"]


def test_112_a_client_e_that_cannot_log_in_is_told_why(home: Path) -> None:
    with guarded_control_plane() as (port, logins):
        logins.address = "nowhere"
        with pytest.raises(FlyteAuthenticationException, match="nowhere"):
            _projects(_config(home, port, "  authType: DeviceFlow"))


def _certificate(folder: Path, name: str) -> tuple[Path, grpc.ServerCredentials]:
    """Make a certificate that nobody else has signed."""
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", f"/CN={name}"]
    make += ["-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(make, cwd=folder, check=True, capture_output=True)
    pair = ((folder / "key.pem").read_bytes(), (folder / "cert.pem").read_bytes())
    return folder / "cert.pem", grpc.ssl_server_credentials([pair])


def _with_tls(home: Path, port: int, *lines: str) -> Path:
    file = _config(home, port, "  authType: ExternalCommand", "  command: [echo, t]", *lines)
    file.write_text(file.read_text().replace("insecure: true", "insecure: false").replace("127.0.0.1", "localhost"))
    return file


def test_113_a_server_a_with_a_certificate_of_its_own_is_trusted_when_the_settings_say_so(home: Path) -> None:
    path, credentials = _certificate(home, "localhost")
    with guarded_control_plane(credentials) as (port, logins):
        logins.good = {"t"}
        assert _projects(_with_tls(home, port, f"  caCertFilePath: {path}")) == ["guarded"]
        assert _projects(_with_tls(home, port, "  insecureSkipVerify: true")) == ["guarded"]
        client = FlyteRemote(Config.auto(_with_tls(home, port)), "p", "d")
        client.sleep = lambda seconds: None
        with pytest.raises(FlyteSystemUnavailableException):
            client.list_projects()
        client.close()


def test_113_a_server_c_whose_certificate_has_another_name_is_taken_without_a_check_only(home: Path) -> None:
    path, credentials = _certificate(home, "elsewhere.example")
    with guarded_control_plane(credentials) as (port, logins):
        logins.good = {"t"}
        assert _projects(_with_tls(home, port, "  insecureSkipVerify: true")) == ["guarded"]
        client = FlyteRemote(Config.auto(_with_tls(home, port, f"  caCertFilePath: {path}")), "p", "d")
        client.sleep = lambda seconds: None
        with pytest.raises(FlyteSystemUnavailableException):
            client.list_projects()
        client.close()


def test_113_a_proxy_b_is_gone_through_and_gets_a_token_of_its_own(guarded: tuple[int, Logins], home: Path) -> None:
    port, logins = guarded
    logins.good = {"t"}
    login = ("  authType: ExternalCommand", "  command: [echo, t]")
    config = Config.auto(_config(home, port, *login, "  proxyCommand: [echo, p]", "  httpProxyURL: http://127.0.0.1:9"))
    assert config.platform.http_proxy_url == "http://127.0.0.1:9"
    client = FlyteRemote(config, "p", "d")
    client.sleep = lambda seconds: None
    with pytest.raises(FlyteSystemUnavailableException):  # nobody listens there: the proxy was asked
        client.list_projects()
    client.close()
    assert _projects(_config(home, port, *login, "  proxyCommand: [echo, p]")) == ["guarded"]
    assert logins.seen_proxy_tokens == {"Bearer p"}


YAML = """
admin: {endpoint: "dns:///yaml:1", insecure: true, authType: DeviceFlow, clientId: of-yaml, scopes: [a, b]}
console: {endpoint: "http://console"}
task: {project: yaml-project, domain: yaml-domain}
images: {spark: "r/spark:1"}
"""
INI = """
[platform]
url = ini:1
insecure = true
[credentials]
auth_mode = client_credentials
client_id = of-ini
scopes = a,b
[local]
project = ini-project
[images]
spark = r/spark:2
"""
WHO = {
    "yaml": (AuthType.DEVICEFLOW, "of-yaml", "yaml-project"),
    "ini": (AuthType.CLIENT_CREDENTIALS, "of-ini", "ini-project"),
}


@pytest.mark.parametrize(("kind", "by_environment"), [*itertools.product(("yaml", "ini"), (False, True))])
def test_114_settings_come_from_a_file_of_either_kind_and_the_environment_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: str, by_environment: bool
) -> None:
    file = home / ("config.yaml" if kind == "yaml" else "config")
    file.write_text(YAML if kind == "yaml" else INI)
    monkeypatch.setenv("FLYTECTL_CONFIG", str(file))
    if by_environment:
        monkeypatch.setenv("FLYTE_PLATFORM_URL", "environment:1")
        monkeypatch.setenv("FLYTE_PLATFORM_INSECURE", "false")
        monkeypatch.setenv("FLYTE_CREDENTIALS_CLIENT_ID", "of-environment")
        monkeypatch.setenv("FLYTE_DEFAULT_PROJECT", "environment-project")
    found = Config.auto()
    mode, client, project = WHO[kind]
    assert (found.platform.auth_mode, found.platform.scopes) == (mode, ["a", "b"])
    assert found.platform.endpoint == ("environment:1" if by_environment else f"{kind}:1")
    assert found.platform.insecure is not by_environment
    assert found.platform.client_id == ("of-environment" if by_environment else client)
    assert found.task.project == ("environment-project" if by_environment else project)
    image = ImageConfig.auto().find_image("spark")
    assert image is not None
    assert image.full == ("r/spark:1" if kind == "yaml" else "r/spark:2")


def test_114_the_file_that_is_named_comes_before_the_others_in_their_order(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Config.auto().platform.endpoint == "localhost:30080"
    (home / ".flyte").mkdir()
    for place, address in ((".flyte/config.yaml", "3:1"), (".flyte/config", "2:1"), ("flytekit.config", "1:1")):
        text = f"admin: {{endpoint: '{address}'}}" if place.endswith("yaml") else f"[platform]\nurl = {address}\n"
        (home / place).write_text(text)
        assert Config.auto().platform.endpoint == address
    (home / "named.yaml").write_text("admin: {endpoint: 'named:1'}")
    monkeypatch.setenv("FLYTECTL_CONFIG", str(home / "named.yaml"))
    assert Config.auto().platform.endpoint == "named:1"
    (home / "given.yaml").write_text("admin: {endpoint: 'given:1'}")
    assert Config.auto(home / "given.yaml").platform.endpoint == "given:1"


def _keys_of_stores() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "AWS" in name}


@pytest.fixture
def own_client(up: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlyteRemote]:
    """A client by the path of its file, in a process that knows no keys but those of some other store."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-elsewhere")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-elsewhere")
    forget_stores()
    before = _keys_of_stores()
    client = FlyteRemote(Config.auto(up.config), "flytesnacks", "development")
    yield client
    assert _keys_of_stores() == before
    client.close()
    forget_stores()


def test_114_files_are_read_with_the_keys_of_the_clients_own_file(
    up: Any, own_client: FlyteRemote, tmp_path: Path
) -> None:
    write_files = up.program("rows_of_workflows").write_files
    execution = own_client.execute(write_files, inputs={"n": 2}, wait=True)
    assert execution.is_successful, execution.error
    file, folder = execution.outputs["o0"], execution.outputs["o1"]
    assert Path(file).read_text() == "one file"
    with file.open("r") as opened:
        assert opened.read() == "one file"
    assert sorted(Path(each).name for each in type(folder).listdir(folder)) == ["part0.txt", "part1.txt"]
    own_client.download(execution, str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "o0" / "one.txt").read_text() == "one file"
    assert (tmp_path / "copy" / "o1" / "part1.txt").read_text() == "x"


def test_114_tables_are_read_with_the_keys_of_the_clients_own_file(up: Any, own_client: FlyteRemote) -> None:
    execution = own_client.execute(up.program("rows_of_values").make_table, inputs={"rows": 3}, wait=True)
    assert execution.is_successful, execution.error
    table = execution.outputs.get("o0", as_type=StructuredDataset)
    assert len(table.open(pd.DataFrame).all()) == 3
    assert list(execution.outputs.get("o0", as_type=pd.DataFrame).columns) == ["a", "b", "c"]
