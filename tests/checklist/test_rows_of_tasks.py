"""Tasks: what they are called, what they ask for, how they fail."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flyteidl.core.tasks_pb2 import Resources as ResourcesMessage

from flyte_kit import Environment, ImageSpec, Resources, Secret, current_context, task
from flyte_kit.configuration import ImageConfig
from serialized import SETTINGS, pod_of, template_of


@task
def double(x: int) -> int:
    return 2 * x


def test_001_a_task_with_types_runs_here_and_is_a_container_with_known_arguments() -> None:
    assert double(x=4) == 8
    template = template_of(double)
    assert template.type == "python-task"
    assert [*template.container.args] == [
        *("pyflyte-execute", "--inputs", "{{.input}}", "--output-prefix", "{{.outputPrefix}}"),
        *("--raw-output-data-prefix", "{{.rawOutputDataPrefix}}", "--checkpoint-path", "{{.checkpointOutputPrefix}}"),
        *("--prev-checkpoint", "{{.prevCheckpointPrefix}}"),
        *("--resolver", "flytekit.core.python_auto_container.default_task_resolver"),
        *("--", "task-module", double.name.removesuffix(".double"), "task-name", "double"),
    ]
    assert not template.container.command
    assert (template.metadata.runtime.flavor, template.task_type_version) == ("python", 0)


@pytest.mark.parametrize("package", [True, False])
def test_002_the_name_of_a_task_is_its_place_below_the_last_folder_that_is_no_package(
    package: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"named_{package}" / "deep"
    folder.mkdir(parents=True)
    source = "from flyte_kit import task\n@task\ndef work() -> int:\n    return 1\n"
    (folder / f"module_{package}.py").write_text(source)
    if package:
        (folder / "__init__.py").touch()
        (folder.parent / "__init__.py").touch()
    root, name = (tmp_path, f"named_{package}.deep.module_{package}") if package else (folder, f"module_{package}")
    monkeypatch.syspath_prepend(str(root))
    __import__(name)
    assert sys.modules[name].work.name == f"{name}.work"


ENTRY = ResourcesMessage


def test_013_resources_stand_in_the_template_and_in_the_pod() -> None:
    @task(requests=Resources(cpu="500m", mem="1Gi"), limits=Resources(cpu="2", ephemeral_storage="3Gi"))
    def apart(x: int) -> int:
        return x

    @task(resources=Resources(cpu=("500m", 2), mem="1Gi", gpu=1))
    def in_pairs(x: int) -> int:
        return x

    wanted = template_of(apart).container.resources
    assert [(entry.name, entry.value) for entry in wanted.requests] == [(ENTRY.CPU, "500m"), (ENTRY.MEMORY, "1Gi")]
    assert (ENTRY.EPHEMERAL_STORAGE, "3Gi") in [(entry.name, entry.value) for entry in wanted.limits]
    pairs = template_of(in_pairs).container.resources
    assert [(entry.name, entry.value) for entry in pairs.limits] == [(ENTRY.CPU, "2")]
    assert (ENTRY.GPU, "1") in [(entry.name, entry.value) for entry in pairs.requests]
    [container] = pod_of(template_of(apart))["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == "500m"
    assert container["resources"]["limits"]["cpu"] == "2"


def test_017_a_secret_a_is_asked_for_in_the_template_and_read_from_variable_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = Secret(group="db", key="cert", mount_requirement=Secret.MountType.FILE)

    @task(secret_requests=[Secret(group="db", key="password"), certificate])
    def connect() -> str:
        return current_context().secrets.get("db", "password") + current_context().secrets.get("db", "cert")

    asked = template_of(connect).security_context.secrets
    assert [(secret.group, secret.key) for secret in asked] == [("db", "password"), ("db", "cert")]
    monkeypatch.setenv("_FSEC_DB_PASSWORD", "s3cret")
    monkeypatch.setenv("FLYTE_SECRETS_DEFAULT_DIR", str(tmp_path))
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "cert").write_text("-cert\n")
    assert connect() == "s3cret-cert"


def test_017_a_secret_b_reaches_a_task_that_runs_remotely_as_variable_and_as_file(
    up: Any, program: Callable[[str], Any]
) -> None:
    folder = up.server.data / "secrets" / "rows"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "password").write_text("s3cret")
    (folder / "cert").write_text("-cert")
    assert up.value(program("rows_of_settings").secrets_of_this_run) == "s3cret-cert _FSEC_ROWS_PASSWORD"


def test_018_equal_image_specifications_have_the_same_image_and_others_another() -> None:
    def image(**fields: Any) -> str:
        spec = ImageSpec(name="mine", registry="r.example", base_image="b:1", **fields)

        @task(container_image=spec)
        def work() -> int:
            return 1

        return template_of(work).container.image

    assert image(packages=["pandas"]) == image(packages=["pandas"])
    assert image(packages=["pandas"]) != image(packages=["numpy"])


def test_019_an_image_is_made_of_the_named_images_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "admin:\n  endpoint: localhost:1\nimages:\n  spark: r.example/spark:3.5\n  default: r.example/base:7\n"
    )

    @task(container_image="{{.image.spark.fqn}}:{{.image.default.version}}")
    def work() -> int:
        return 1

    settings = dataclasses.replace(SETTINGS, image_config=ImageConfig.auto(config_file=str(tmp_path / "config.yaml")))
    assert template_of(work, settings).container.image == "r.example/spark:7"
    assert template_of(double, settings).container.image == "r.example/base:7"


def test_020_the_variables_of_a_task_win_over_those_of_the_registration(up: Any, program: Callable[[str], Any]) -> None:
    settings = program("rows_of_settings")
    registered = up.remote.register_script(settings.variables, envs={"OF_TASK": "registration", "OF_BOTH": "given"})
    execution = up.run(registered, envs={"OF_RUN": "run"})
    assert execution.outputs.get("o0") == ["task", "given", "run"]


def test_022_an_error_reaches_the_user_with_its_code_and_the_lines_of_the_program(
    up: Any, program: Callable[[str], Any]
) -> None:
    execution = up.run(program("rows_of_workflows").fail, inputs={"x": 7})
    assert execution.phase == "FAILED"
    assert "ValueError: no 7" in execution.error.message
    assert 'raise ValueError(f"no {x}")' in execution.error.message
    attempts = [attempt for node in execution.node_executions.values() for attempt in node.task_executions]
    assert [attempt.error.code for attempt in attempts] == ["USER:RuntimeError"]


def test_050_a_bundle_of_settings_is_shared_and_the_task_s_own_win() -> None:
    env = Environment(retries=2, environment={"A": "1"}, requests=Resources(cpu="1"))
    more = env.extend(environment={"B": "2"}, interruptible=True)

    @env
    def first(x: int) -> int:
        return x

    @more(retries=5)
    def second(x: int) -> int:
        return x

    one, two = template_of(first), template_of(second)
    assert (one.metadata.retries.retries, two.metadata.retries.retries) == (2, 5)
    assert two.metadata.interruptible
    assert {pair.key: pair.value for pair in one.container.env}.items() >= {("A", "1")}
    assert two.container.resources.requests[0].value == "1"
