"""The pages below /console, and the way stock clients get there."""

from __future__ import annotations

import os
import re
import subprocess
import urllib.error
import urllib.request
from html import unescape

import pytest
import yaml
from flyteidl.admin.execution_pb2 import Execution
from flyteidl.admin.node_execution_pb2 import NodeExecution
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.execution_pb2 import TaskLog

from flyte_cli.up.console_html import NodeView, execution_page

EXECUTION = "/console/projects/flytesnacks/domains/development/executions/"


def get(url: str):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/projects/flytesnacks/workflows"])
def test_every_path_says_that_there_is_no_console_yet(up, path) -> None:
    status, headers, page = get(up.server.http + path)
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "There is no web console yet" in page


def test_an_execution_shows_nodes_errors_and_logs(up, broken) -> None:
    status, headers, page = get(up.server.http + EXECUTION + broken)
    assert status == 200
    assert headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "<b>FAILED</b>" in page
    rows = dict(re.findall(r"<tr><td>([\w-]+)<td>(\w+)", page))
    assert rows == {"start-node": "SUCCEEDED", "n0": "SUCCEEDED", "n1": "FAILED"}
    assert "the &lt;b&gt;boiler&lt;/b&gt; is cold" in page
    assert "<b>boiler" not in page
    logs = [unescape(link) for link in re.findall(r'href="([^"]+)"', page)]
    first, second = (get(link)[2] for link in logs)
    assert first == "all is well\n"
    assert "boiler" in second
    assert "<script" not in page


def test_an_execution_that_is_not_there(up) -> None:
    status, headers, page = get(up.server.http + EXECUTION + "%3Cimg%20src=x%3E")
    assert status in (400, 404)
    assert "<img" not in page
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert get(up.server.http + EXECUTION + "nosuch")[0] == 404


def test_nothing_that_others_wrote_becomes_markup_or_a_script() -> None:
    evil = '"><script>alert(1)</script>'
    execution, node, attempt = Execution(), NodeExecution(), TaskExecution()
    execution.id.name = execution.id.project = execution.id.domain = execution.spec.launch_plan.name = evil
    execution.closure.error.message = node.closure.error.message = node.id.node_id = evil
    for uri in (f"http://a/{evil}", "javascript:alert(1)", f"data:text/html,{evil}", " javascript:alert(1)"):
        attempt.closure.logs.append(TaskLog(uri=uri, name=evil))
    page = execution_page(execution, [NodeView(node, [attempt])], is_cut=True)
    assert "<script" not in page
    assert re.findall(r"href=\"(\w+):", page) == ["http"]


def test_another_sites_name_is_refused(up) -> None:
    request = urllib.request.Request(up.server.http + "/console", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)


def test_the_clients_file_names_the_pages_address(up) -> None:
    config = yaml.safe_load((up.server.data / "config.yaml").read_text())
    assert config["console"]["endpoint"] == up.server.http


@pytest.mark.interop
def test_stock_flytekit_prints_a_link_that_leads_there(up, broken) -> None:
    stock_python = os.environ.get("FLYTE_STOCK_PYTHON")
    if not stock_python:
        pytest.skip("FLYTE_STOCK_PYTHON names no environment with stock flytekit: run `nox -s interop`")
    program = (
        "from flytekit.configuration import Config\nfrom flytekit.remote import FlyteRemote\n"
        "remote = FlyteRemote(Config.auto(), default_project='flytesnacks', default_domain='development')\n"
        f"print(remote.generate_console_url(remote.fetch_execution(name={broken!r})))"
    )
    done = subprocess.run(
        [stock_python, "-c", program],
        env={"FLYTECTL_CONFIG": str(up.server.data / "config.yaml"), "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    link = done.stdout.split()[-1]
    assert link == up.server.http + EXECUTION + broken
    assert "boiler" in get(link)[2]
