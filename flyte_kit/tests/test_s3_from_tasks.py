"""Objects in S3, as tasks read and write them, against this project's own endpoint over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import s3_endpoint
from flyte_core.errors import ConfigError, PermissionDenied
from flyte_kit.core.data_persistence import FileAccessProvider
from flyte_kit.exceptions.user import FlyteDataNotFoundException
from flyte_kit.storage import s3
from flyte_kit.storage.s3_settings import from_environment


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with s3_endpoint.serve(tmp_path / "store") as endpoint:
        yield {
            "FLYTE_AWS_ENDPOINT": endpoint.url,
            "FLYTE_AWS_ACCESS_KEY_ID": s3_endpoint.CREDENTIALS.access_key,
            "FLYTE_AWS_SECRET_ACCESS_KEY": s3_endpoint.CREDENTIALS.secret_key,
        }


def test_an_object_comes_back_as_it_was_whatever_its_name(environment: dict[str, str]) -> None:
    store = s3.S3Store(from_environment(environment))
    for name in ("plain", "with space/ü.txt", "a+b=c&d", "per%20cent"):
        store.write(f"s3://flyte/x/{name}", name.encode())
        assert store.read(f"s3://flyte/x/{name}") == name.encode()
    listed = {each.removeprefix("s3://flyte/x/") for each in store.list("s3://flyte/x/")}
    assert listed == {"plain", "with space/ü.txt", "a+b=c&d", "per%20cent"}


def test_an_object_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    store = s3.S3Store(from_environment(environment))
    with pytest.raises(FlyteDataNotFoundException, match="s3://flyte/none"):
        store.read("s3://flyte/none")
    assert not store.exists("s3://flyte/none")


def test_wrong_keys_are_a_refusal_not_a_missing_object(environment: dict[str, str]) -> None:
    store = s3.S3Store(from_environment({**environment, "FLYTE_AWS_SECRET_ACCESS_KEY": "wrong"}))
    with pytest.raises(PermissionDenied, match="s3://flyte/none"):
        store.read("s3://flyte/none")


def test_a_large_file_goes_in_parts(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "PART_SIZE", 5 * 1024 * 1024)
    store = s3.S3Store(from_environment(environment))
    source = tmp_path / "large"
    source.write_bytes(bytes(range(256)) * 4096 * 12)
    store.upload(str(source), "s3://flyte/large")
    store.download("s3://flyte/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def test_folders_are_copied_with_everything_in_them(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text("a")
    (tmp_path / "in" / "deep" / "b.txt").write_text("b")
    files = FileAccessProvider(str(tmp_path / "sandbox"), "s3://flyte/raw/")
    uri = files.put_raw_data(str(tmp_path / "in"))
    assert uri.startswith("s3://flyte/raw/")
    files.get_data(uri, str(tmp_path / "out"), is_multipart=True)
    assert (tmp_path / "out" / "deep" / "b.txt").read_text() == "b"


def test_an_endpoint_that_is_no_url_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="FLYTE_AWS_ENDPOINT"):
        from_environment({"FLYTE_AWS_ENDPOINT": "localhost:9000", "AWS_ACCESS_KEY_ID": "a"})


def test_the_settings_named_for_flyte_come_first_then_a_file_then_those_of_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FLYTECTL_CONFIG", raising=False)
    file = tmp_path / "config.yaml"
    keys = "{endpoint: 'http://file:1', access-key: file, secret-key: secret, region: file-1}"
    file.write_text(f"storage: {{connection: {keys}}}")
    aws = {"AWS_ACCESS_KEY_ID": "aws", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
    flyte = {"FLYTE_AWS_ACCESS_KEY_ID": "flyte", "FLYTE_AWS_SECRET_ACCESS_KEY": "secret"}

    def chosen(environment: dict[str, str], keys_file: Path | None) -> tuple[str, str, str, str]:
        found = from_environment(environment, keys_file=keys_file)
        assert found.credentials is not None
        return found.credentials.access_key, found.endpoint, found.region, found.session_token

    assert chosen({**aws, **flyte}, file) == ("flyte", "", "us-east-1", "")
    assert chosen(aws, file) == ("file", "http://file:1", "file-1", "")
    assert chosen(aws, None) == ("aws", "", "us-east-1", "token")
