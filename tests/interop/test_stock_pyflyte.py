"""Stock pyflyte against `flyte up`."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from flyte_up import PROGRAMS, Stock

pytestmark = pytest.mark.interop
RUN = ("run", "--remote", "--wait", "--poll-interval", "1", "-p", "flytesnacks", "-d", "development")


def outputs(stock: Stock, printed: str) -> object:
    """Return output o0 of the execution that pyflyte has printed the address of."""
    name = printed.split("/executions/")[1].split()[0]
    return stock.remote(f"""
        done = remote.sync_execution(remote.fetch_execution(name={name!r}))
        result["o0"] = done.outputs["o0"]
    """)["o0"]


def test_a_workflow_runs_with_its_defaults(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "hello")
    assert "has succeeded" in printed


def test_a_workflow_runs_with_an_input(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "hello", "--x", "11")
    assert outputs(stock, printed) == 27


def test_a_single_task_runs(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "double", "--x", "21")
    assert outputs(stock, printed) == 42


def test_registering_twice_changes_nothing_and_exits_well(stock: Stock) -> None:
    arguments = ("register", "-p", "flytesnacks", "-d", "development", "--version", "twice", "behaviours.py")
    assert "Successfully registered" in stock.pyflyte(*arguments)
    assert "Successfully registered" in stock.pyflyte(*arguments)
    answer = stock.remote("""
        from flytekit.exceptions.user import FlyteEntityAlreadyExistsException
        task = remote.fetch_task(name="behaviours.double", version="twice")
        spec = remote.client.get_task(task.id).closure.compiled_task
        import flytekit.models.task as models
        try:
            remote.client.create_task(task.id, models.TaskSpec(spec.template))
        except FlyteEntityAlreadyExistsException as error:
            result["refusal"] = str(error.__cause__.details())
    """)
    assert "already exists" in str(answer["refusal"])


def test_a_user_error_is_shown_with_message_and_traceback(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "user_error", "--x", "8", code=255)
    assert "no good: 8" in printed
    assert "Traceback" in printed or "Trace:" in printed


def test_copy_all_with_dest_dir_root_leaves_the_hosts_root_untouched(stock: Stock, tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    shutil.copy(PROGRAMS / "behaviours.py", folder)
    before = _listing(Path("/root"))
    where = ("-p", "flytesnacks", "-d", "development", "--version", "root")
    stock.pyflyte("register", *where, "--copy", "all", "--destination-dir", "/root", ".", cwd=folder)
    answer = stock.remote("""
        workflow = remote.fetch_workflow(name="programs.behaviours.location", version="root")
        done = remote.wait(remote.execute(workflow, inputs={}), poll_interval=timedelta(seconds=1))
        result["where"] = done.outputs["o0"]
    """)
    where = answer["where"]
    assert isinstance(where, list)
    assert all(not str(path).startswith("/root/behaviours") for path in where)
    assert _listing(Path("/root")) == before


def _listing(folder: Path) -> str:
    names = sorted(entry.name for entry in os.scandir(folder))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
