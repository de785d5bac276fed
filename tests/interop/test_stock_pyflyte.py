"""Stock pyflyte against `flyte up`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from flyte_up import Stock

pytestmark = pytest.mark.interop
RUN = ("run", "--remote", "--wait", "--poll-interval", "1", "-p", "flytesnacks", "-d", "development")


def test_a_workflow_runs_with_its_defaults(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "hello")
    assert "SUCCEEDED" in printed or "o0" in printed


def test_a_workflow_runs_with_an_input(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "hello", "--x", "11")
    assert "27" in printed


def test_a_single_task_runs(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "double", "--x", "21")
    assert "42" in printed


def test_registering_twice_says_that_it_already_exists(stock: Stock) -> None:
    arguments = ("register", "-p", "flytesnacks", "-d", "development", "--version", "twice", "behaviours.py")
    stock.pyflyte(*arguments)
    assert "already exists" in stock.pyflyte(*arguments).lower()


def test_a_user_error_is_shown_with_message_and_traceback(stock: Stock) -> None:
    printed = stock.pyflyte(*RUN, "behaviours.py", "user_error", "--x", "8", code=255)
    assert "no good: 8" in printed
    assert "Traceback" in printed or "Trace:" in printed


def test_copy_all_with_dest_dir_root_leaves_the_hosts_root_untouched(stock: Stock) -> None:
    before = _listing(Path("/root"))
    where = ("-p", "flytesnacks", "-d", "development", "--version", "root")
    stock.pyflyte("register", *where, "--copy", "all", "--destination-dir", "/root", ".")
    answer = stock.remote("""
        workflow = remote.fetch_workflow(name="behaviours.location", version="root")
        done = remote.execute(workflow, inputs={}, wait=True, poll_interval=timedelta(seconds=1))
        result["where"] = done.outputs["o0"]
    """)
    where = answer["where"]
    assert isinstance(where, list)
    assert all(not str(path).startswith("/root/behaviours") for path in where)
    assert _listing(Path("/root")) == before


def _listing(folder: Path) -> str:
    names = sorted(entry.name for entry in os.scandir(folder))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
