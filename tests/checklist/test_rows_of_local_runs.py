"""What runs on this machine without a server."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flyte_kit import dynamic, kwtypes, task, workflow
from flyte_kit.core.task import Echo
from flyte_kit.exceptions.user import FlyteValidationException
from flyte_kit.extras.sqlite3 import SQLite3Config, SQLite3Task
from flyte_kit.extras.webhook import WebhookTask
from flyte_kit.sensor import BaseSensor, FileSensor
from flyte_kit.testing import patch, task_mock
from serialized import spec_of, template_of


@task
def square(x: int) -> int:
    return x * x


@workflow
def squared(x: int) -> int:
    return square(x=x)


def test_046_a_task_of_a_workflow_is_replaced_in_a_test() -> None:
    with task_mock(square) as mock:
        mock.return_value = 100
        assert squared(x=2) == 100
    assert squared(x=2) == 4

    @patch(square)
    def within(mock: Any) -> int:
        mock.side_effect = lambda x: x + 1
        return squared(x=2)

    assert within() == 3


def _numbers(path: Path) -> Any:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table numbers (n int)")
        database.executemany("insert into numbers values (?)", [(1,), (2,)])
    return SQLite3Task(
        name=f"rows.query_{path.stem}",
        query_template="select n * {{ .inputs.factor }} as product from numbers order by n",
        inputs=kwtypes(factor=int),
        task_config=SQLite3Config(uri=str(path)),
    )


def test_041_a_query_a_runs_here_and_names_its_template_for_the_container(tmp_path: Path) -> None:
    query = _numbers(tmp_path / "here.db")
    assert [*query(factor=10).open().all()["product"]] == [10, 20]
    template = template_of(query)
    assert template.type == "sqlite"
    assert "{{.taskTemplatePath}}" in template.container.args


def test_041_a_query_b_runs_remotely(up: Any, tmp_path: Path) -> None:
    query = _numbers(tmp_path / "there.db")
    frame = up.value(query, output="results", factor=10).open().all()
    assert [*frame["product"]] == [10, 20]


CELL = """
@task
def of_a_cell(x: int) -> int:
    return x + 7

@workflow
def wf(x: int) -> int:
    return of_a_cell(x=of_a_cell(x=x))

@dynamic
def fan(x: int) -> int:
    return of_a_cell(x=x)
"""


class Immediately(BaseSensor):
    async def poke(self) -> bool:
        return True


def test_056_a_sensor_a_returns_when_what_it_looks_for_is_there(tmp_path: Path) -> None:
    sensor = FileSensor(name="rows.file_sensor")
    (tmp_path / "there").touch()
    assert sensor(path=str(tmp_path / "there")) is None
    assert template_of(sensor).type == "sensor"
    assert Immediately(name="rows.immediately")() is None


@pytest.mark.xfail(strict=True, reason="no installed plugin runs sensors")
def test_056_a_sensor_c_releases_a_remote_workflow(up: Any, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    execution = up.run(FileSensor(name="rows.remote_sensor"), inputs={"path": str(tmp_path / "there")})
    assert execution.is_successful, execution.error


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200 if body["n"] != "2" else 500)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['X-Who']} {body['n']}".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


def test_056_a_web_hook_b_is_called_with_the_inputs() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hook = WebhookTask(
            name="rows.hook",
            url=f"http://127.0.0.1:{server.server_port}/items/{{inputs.n}}",
            headers={"X-Who": "rows"},
            data={"n": "{inputs.n}"},
            dynamic_inputs={"n": int},
            show_url=True,
        )
        info = hook(n=1)
        with pytest.raises(Exception, match="status code 500"):
            hook(n=2)
        server.shutdown()
    assert (info["status_code"], info["response_data"]) == (200, "/items/1 rows 1")
    assert info["url"].endswith("/items/1")
    template = template_of(hook)
    assert template.type == "webhook"
    assert template.custom["method"] == "POST"
    with pytest.raises(ValueError, match="PUT"):
        WebhookTask(name="rows.wrong", url="http://localhost", method="PUT")


def test_057_an_echo_a_returns_its_inputs() -> None:
    echo = Echo(name="rows.echo_here", inputs={"a": int, "b": str})
    assert tuple(echo(a=1, b="x")) == (1, "x")
    template = template_of(echo)
    assert (template.type, template.WhichOneof("target")) == ("echo", None)


def test_057_an_echo_b_runs_remotely_without_a_container(up: Any) -> None:
    from rows_of_task_kinds import echoed

    assert up.value(echoed, a=5) == 5


def test_058_a_task_of_a_notebook_runs_from_its_pickle(up: Any, tmp_path: Path) -> None:
    from flyte_kit.configuration import Config
    from flyte_kit.remote import FlyteRemote

    interactive = FlyteRemote(Config.auto(up.config), "flytesnacks", "development", interactive_mode_enabled=True)
    scope: dict[str, Any] = {"__name__": "__main__", "task": task, "workflow": workflow, "dynamic": dynamic}
    exec(CELL, scope)
    execution = interactive.execute(scope["of_a_cell"], inputs={"x": 1}, wait=True)
    assert execution.outputs.get("o0") == 8
    assert interactive.execute(scope["wf"], inputs={"x": 1}, wait=True).outputs.get("o0") == 15
    with pytest.raises(FlyteValidationException, match="fan"):
        interactive.execute(scope["fan"], inputs={"x": 1})


@pytest.mark.xfail(strict=True, reason="there is no editor in the browser for a running task (vscode)")
def test_059_a_task_opens_an_editor_whose_address_is_among_its_links() -> None:
    from flyte_kit.interactive import vscode

    @task
    @vscode
    def work() -> int:
        return 1

    assert template_of(work).config["link_type"] == "vscode"


@pytest.mark.xfail(strict=True, reason="there is no map task of the old kind (container_array)")
def test_060_an_old_map_task_is_one_array_job() -> None:
    from flyte_kit.core.legacy_map_task import map_task

    @workflow
    def each(xs: list[int]) -> list[int]:
        return map_task(square)(x=xs)

    assert each(xs=[1, 2]) == [1, 4]
    assert spec_of(each).template.nodes[0].HasField("task_node")
    assert template_of(map_task(square)).type == "container_array"
