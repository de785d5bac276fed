"""Secrets of tasks on the embedded cluster: from the server's folder or environment to the task, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.core.security_pb2 import Secret

from flyte_core.cluster import POD
from flyte_propeller.host.secret_requests import SECRET_ANNOTATION, encode_secret, requested_secrets

from .conftest import NAMESPACE, Pods, manifest

SHOW = "import os; print(os.environ.get({!r}))"


def asking(*secrets: Secret) -> dict[str, Any]:
    annotations = {f"{SECRET_ANNOTATION}{number}": encode_secret(secret) for number, secret in enumerate(secrets)}
    return {"annotations": annotations}


def keep(pods: Pods, path: str, value: str) -> None:
    file = pods.folder / "secrets" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value)


@pytest.fixture(scope="module", params=range(3))
def padded(request: pytest.FixtureRequest) -> Secret:
    return Secret(group="g" * (request.param + 1), key="k")


def test_a_request_reads_as_it_was_written(padded: Secret) -> None:
    found = requested_secrets({f"{SECRET_ANNOTATION}0": encode_secret(padded), "other": "x"})
    assert found == [padded]


async def test_a_secret_is_a_variable_of_the_task(pods: Pods) -> None:
    keep(pods, "user/token", "hidden\n")
    secret = Secret(group="user", key="token", env_var="TOKEN")
    script = "import os; print(os.environ['_FSEC_USER_TOKEN'], os.environ['TOKEN'])"
    await pods.run("variable", "python", "-c", script, metadata=asking(secret))
    assert pods.log("variable") == "hidden hidden\n"
    assert "hidden" not in str(await pods.cluster.get(POD, NAMESPACE, "variable"))


async def test_a_secret_is_a_file_where_one_is_wanted_and_goes_with_the_attempt(pods: Pods) -> None:
    keep(pods, "user/v1/token", "hidden")
    secret = Secret(group="user", group_version="v1", key="token", mount_requirement=Secret.FILE)
    script = "import os; print(open(os.environ['FLYTE_SECRETS_DEFAULT_DIR'] + '/user/v1/token').read())"
    await pods.run("file", "python", "-c", script, metadata=asking(secret))
    assert pods.log("file") == "hidden\n"
    await pods.delete("file")
    await pods.no_folder_left()


async def test_the_servers_environment_is_asked_first(pods: Pods, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(pods, "user/token", "file")
    monkeypatch.setenv("FLYTE_SECRET_USER_TOKEN", "environment")
    secret = Secret(group="user", key="token")
    await pods.run("first", "python", "-c", SHOW.format("_FSEC_USER_TOKEN"), metadata=asking(secret))
    assert pods.log("first") == "environment\n"


async def test_nobody_gets_a_secret_that_was_not_asked_for(pods: Pods, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_SECRET_USER_TOKEN", "environment")
    script = "import os; print([name for name in os.environ if 'TOKEN' in name])"
    await pods.run("nobody", "python", "-c", script)
    assert pods.log("nobody") == "[]\n"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (Secret(group="user", key="nope"), "secret user/nope is not there: write it to"),
        (Secret(group="..", key="admin.db"), "'..' is no name of a secret"),
        (Secret(group="user", key="a/b"), "'a/b' is no name of a secret"),
    ],
)
async def test_a_secret_that_is_nowhere_is_named_with_the_place_for_it(pods: Pods, secret: Secret, said: str) -> None:
    await pods.cluster.create(manifest("waits", "python", "-c", "pass", metadata=asking(secret)))

    def told(pod: Any) -> bool:
        return said in str((pod.get("status") or {}).get("containerStatuses"))

    await pods.shown("waits", told)
    await pods.delete("waits")
