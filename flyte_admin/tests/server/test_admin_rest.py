"""The REST gateway: routes, both JSON styles, binary bodies, statuses, and what is refused at the door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.project_pb2 import Projects
from flyteidl.admin.task_pb2 import TaskCreateResponse
from flyteidl.core.literals_pb2 import Literal
from google.protobuf.json_format import ParseDict
from google.rpc.status_pb2 import Status

from flyte_admin.rest.browser_guard import BrowserGuard
from flyte_admin.rest.json_out import to_json

RECORDED = Path(__file__).parents[3] / "tests" / "golden" / "recorded"
JSON = {"accept": "application/json"}
BINARY = {"accept": "application/octet-stream", "content-type": "application/octet-stream"}


def recorded() -> list[Any]:
    found = []
    for folder in sorted(RECORDED.iterdir()):
        by_id = json.loads((folder / "rest-node-executions-by-id.json").read_text())
        tasks = json.loads((folder / "rest-task-executions.json").read_text())
        found += [
            (execution_pb2.Execution, json.loads((folder / "rest-execution.json").read_text())),
            (
                execution_pb2.WorkflowExecutionGetDataResponse,
                json.loads((folder / "rest-execution-data.json").read_text()),
            ),
            *((task_execution_pb2.TaskExecutionList, value) for value in tasks.values()),
            *(
                (
                    node_execution_pb2.NodeExecutionGetDataResponse
                    if key.endswith("#data")
                    else node_execution_pb2.NodeExecution,
                    value,
                )
                for key, value in by_id.items()
            ),
        ]
    return found


def test_recorded_answers_of_upstream_are_printed_the_same() -> None:
    answers = recorded()
    assert len(answers) > 20
    for message, value in answers:
        assert json.loads(to_json(ParseDict(value, message()), camel=False)) == value


def test_values_that_json_has_no_form_for_are_printed_as_upstream_does() -> None:
    literal = Literal()
    literal.scalar.primitive.float_value = float("nan")
    assert json.loads(to_json(literal, camel=False))["scalar"]["primitive"]["float_value"] == "NaN"
    literal.scalar.primitive.float_value = 2.0
    assert b'"float_value":2}' in to_json(literal, camel=False)
    literal.scalar.binary.value = b"\xff"
    assert json.loads(to_json(literal, camel=True))["scalar"]["binary"] == {"value": "/w==", "tag": ""}


def test_an_any_is_printed_by_its_content_or_else_its_bytes() -> None:
    plan = LaunchPlan()
    plan.spec.entity_metadata.launch_conditions.Pack(TaskCreateResponse())
    printed = json.loads(to_json(plan, camel=False))
    assert printed["spec"]["entity_metadata"]["launch_conditions"] == {
        "@type": "type.googleapis.com/flyteidl.admin.TaskCreateResponse"
    }
    plan.spec.entity_metadata.launch_conditions.type_url = "type.googleapis.com/nobody.Knows"
    printed = json.loads(to_json(plan, camel=False))
    assert printed["spec"]["entity_metadata"]["launch_conditions"]["value"] == ""


async def test_keys_follow_the_headers_as_upstreams(sqlite_admin: Any) -> None:
    request = sqlite_admin.http.build_request("GET", "/api/v1/version")
    request.headers.pop("accept")
    camel = (await sqlite_admin.http.send(request)).json()
    snake = (await sqlite_admin.http.get("/api/v1/version", headers=JSON)).json()
    assert (list(camel), list(snake)) == (["controlPlaneVersion"], ["control_plane_version"])


async def test_an_entity_is_written_and_read_by_json_and_by_protobuf(admin: Any, make: Any) -> None:
    body = make.task("by.json").SerializeToString()
    answer = await admin.http.post("/api/v1/tasks", content=body, headers=BINARY)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/octet-stream"
    task = (await admin.http.get("/api/v1/tasks/flytesnacks/development/by.json/v1", headers=JSON)).json()
    assert task["closure"]["compiled_task"]["template"]["container"]["image"] == "img:1"
    created = {
        "id": {**task["id"], "version": "v2"},
        "spec": {"template": task["closure"]["compiled_task"]["template"]},
    }
    answer = await admin.http.post("/api/v1/tasks", json=created, headers=JSON)
    assert answer.json() == {}
    listed = await admin.http.get(
        "/api/v1/tasks/flytesnacks/development/by.json",
        params={"limit": 1, "sort_by.key": "created_at", "sortBy.direction": "ASCENDING", "nonsense": "1"},
        headers=JSON,
    )
    assert [found["id"]["version"] for found in listed.json()["tasks"]] == ["v1"]
    assert listed.json()["token"] == "1"
    again = await admin.http.post("/api/v1/tasks", content=body, headers=BINARY)
    assert again.status_code == 409
    assert Status.FromString(again.content).code == 6


async def test_a_chunked_and_an_empty_body_are_taken(sqlite_admin: Any, make: Any) -> None:
    body = make.task("chunked").SerializeToString()

    async def chunks() -> Any:
        for index in range(0, len(body), 7):
            yield body[index : index + 7]

    answer = await sqlite_admin.http.post("/api/v1/tasks", content=chunks(), headers=BINARY)
    assert answer.status_code == 200
    answer = await sqlite_admin.http.post("/api/v1/tasks", content=b"", headers={"content-length": "0"})
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


async def test_path_segments_are_decoded_one_by_one(sqlite_admin: Any, make: Any) -> None:
    request = make.task("a/b c")
    await sqlite_admin.stub.CreateTask(request)
    answer = await sqlite_admin.http.get("/api/v1/tasks/flytesnacks/development/a%2Fb%20c/v1", headers=JSON)
    assert answer.json()["id"]["name"] == "a/b c"


async def test_enums_in_paths_are_names_or_numbers(sqlite_admin: Any, make: Any) -> None:
    await sqlite_admin.stub.CreateTask(make.task())
    for kind in ("TASK", "1"):
        path = f"/api/v1/named_entities/{kind}/flytesnacks/development"
        answer = await sqlite_admin.http.get(path, params={"limit": 5}, headers=JSON)
        assert [entity["id"]["name"] for entity in answer.json()["entities"]] == ["double"]
    answer = await sqlite_admin.http.get("/api/v1/named_entities/NONE/flytesnacks/development", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


async def test_a_delete_takes_a_body(sqlite_admin: Any) -> None:
    answer = await sqlite_admin.http.request(
        "DELETE", "/api/v1/executions/flytesnacks/development/nothing", json={"cause": "test"}, headers=JSON
    )
    assert (answer.status_code, answer.json()["code"]) == (404, 5)


async def test_binary_lists_are_read_by_upstreams_console(sqlite_admin: Any) -> None:
    answer = await sqlite_admin.http.get("/api/v1/projects", headers={"accept": "application/octet-stream"})
    assert [project.id for project in Projects.FromString(answer.content).projects] == ["flytesnacks"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"project=x", "application/x-www-form-urlencoded", 415, "content type"),
        (b"{}", "text/plain", 415, "content type"),
        (b"{}", "", 415, "content type"),
        (b"{", "application/json", 400, "not JSON"),
        (b"{} {}", "application/json", 400, "not JSON"),
        (b"[]", "application/json", 400, "not a JSON object"),
        (b"\xff", "application/json", 400, "UTF-8"),
        (b'{"project": {}, "project": {}}', "application/json", 400, "twice"),
        (b'{"project": ' * 200 + b"}" * 200, "application/json", 400, "64 levels"),
        (b'{"project": {"name": NaN}}', "application/json", 400, "NaN"),
        (b'{"nobody": 1}', "application/json", 400, "nobody"),
        (b"\xff\xff", "application/octet-stream", 400, "ProjectRegisterRequest"),
        (b" " * (21 * 1024 * 1024), "application/json", 413, "max_message_bytes"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes | str) else None,
)
async def test_bad_bodies_are_refused(
    sqlite_admin: Any, body: bytes, content_type: str, status: int, words: str
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await sqlite_admin.http.post("/api/v1/projects", content=body, headers={**JSON, **headers})
    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert (await sqlite_admin.http.get("/healthcheck")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/nothing", 404),
        ("/api/v1/tasks/../../etc/passwd", 404),
        ("/api/v1/tasks/flytesnacks/%2e%2e/x/v1", 404),
        ("/api/v1/tasks/flytesnacks/development/a%00b/v1", 400),
        ("/api/v1/tasks/flytesnacks/development/%ff/v1", 400),
        ("/api/v1/tasks//development/x/v1", 404),
        ("/api/v1/tasks/flytesnacks/development?limit=many", 400),
        ("/api/v1/tasks/flytesnacks/development?limit=-1", 400),
        ("/api/v1/executions", 405),
    ],
)
async def test_bad_paths_are_refused(sqlite_admin: Any, path: str, status: int) -> None:
    reply = await raw_get(sqlite_admin.app.http_address, path)
    assert reply.split(b" ")[1] == str(status).encode(), reply


async def raw_get(address: str, path: str) -> bytes:
    """A request whose path no client library has tidied up."""
    import asyncio

    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
    reply = await reader.read()
    writer.close()
    return reply


async def test_foreign_web_pages_are_kept_out(sqlite_admin: Any) -> None:
    own = f"http://{sqlite_admin.app.http_address}"
    for headers, status in [
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": own}, 200),
        ({}, 200),
    ]:
        answer = await sqlite_admin.http.get("/api/v1/projects", headers=headers)
        assert answer.status_code == status, headers
        assert "access-control-allow-origin" not in answer.headers


def test_hosts_and_origins_can_be_allowed() -> None:
    guard = BrowserGuard(hosts=("flyte.example",), origins=("https://console.example",))
    assert guard.refusal("flyte.example:443", "https://console.example") is None
    assert guard.refusal("localhost", None) is not None
    assert BrowserGuard(hosts=("*",)).refusal("anything", None) is None
    assert BrowserGuard().refusal("[::1]:8088", None) is None
