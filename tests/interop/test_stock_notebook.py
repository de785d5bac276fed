"""Tasks of a notebook with stock flytekit: they travel as a pickle, not as a tarball."""

from __future__ import annotations

import pytest

from flyte_up import Stock

pytestmark = pytest.mark.interop


def test_a_task_that_is_in_no_file_runs_from_its_pickle(stock: Stock) -> None:
    answer = stock.remote(
        """
        import linecache
        from flytekit import task
        cell = "@task\\ndef of_a_cell(x: int) -> int:\\n    return x + 7\\n"
        linecache.cache["<cell>"] = (len(cell), None, cell.splitlines(True), "<cell>")  # as a notebook does
        scope = {"__name__": "__main__", "task": task}
        exec(compile(cell, "<cell>", "exec"), scope)
        remote = FlyteRemote(
            Config.auto(), default_project="flytesnacks", default_domain="development", interactive_mode_enabled=True
        )
        execution = remote.execute(scope["of_a_cell"], inputs={"x": 1})
        execution = remote.wait(execution, timeout=timedelta(seconds=60), poll_interval=timedelta(seconds=1))
        result["outputs"] = execution.outputs.get("o0") if execution.error is None else str(execution.error.message)
        """
    )
    assert answer["outputs"] == 8
