"""What is not shown of environments."""

from __future__ import annotations

import pytest

from flyte_cli.showing.masking import masked, shown_value


@pytest.mark.parametrize(
    "name", ["API_TOKEN", "db_password", "AWS_SECRET_ACCESS_KEY", "apiKey", "SENTRY_DSN", "PWD_DB"]
)
def test_variables_that_are_named_like_secrets_are_hidden(name) -> None:
    assert shown_value(name, "hush") == "***"


@pytest.mark.parametrize("name", ["AUTHOR", "KEYBOARD", "MONKEY", "PARTITION_KEY", "MODE"])
def test_other_variables_are_shown(name) -> None:
    assert shown_value(name, "open") == "open"


def test_passwords_in_addresses_are_hidden() -> None:
    assert shown_value("DATABASE", "postgresql://me:hush@db:5432/x?a=b") == "postgresql://me:***@db:5432/x?a=b"
    assert shown_value("HOME_PAGE", "https://flyte.example:8080/a@b") == "https://flyte.example:8080/a@b"


def test_environments_of_containers_pods_and_executions_are_masked_and_nothing_else() -> None:
    container = {"env": [{"key": "TOKEN", "value": "hush"}, {"key": "MODE", "value": "x"}]}
    pod = {"containers": [{"env": [{"name": "TOKEN", "value": "hush"}, {"name": "REF", "valueFrom": {"a": 1}}]}]}
    execution = {"envs": {"values": [{"key": "TOKEN", "value": "hush"}]}}
    labels = {"labels": [{"key": "TOKEN", "value": "not one"}]}
    found = masked({"all": [container, pod, execution, labels]})["all"]
    assert found[0]["env"] == [{"key": "TOKEN", "value": "***"}, {"key": "MODE", "value": "x"}]
    assert found[1]["containers"][0]["env"] == [
        {"name": "TOKEN", "value": "***"},
        {"name": "REF", "valueFrom": {"a": 1}},
    ]
    assert found[2]["envs"]["values"] == [{"key": "TOKEN", "value": "***"}]
    assert found[3] == labels
