"""Maps of stock flytekit on `flyte up`."""

from __future__ import annotations

import pytest

from flyte_up import Stock

pytestmark = pytest.mark.interop
SUCCEEDED, FAILED = 4, 6


@pytest.fixture(scope="module")
def maps(stock: Stock) -> Stock:
    stock.pyflyte("register", "-p", "flytesnacks", "-d", "development", "--version", "v1", "mapping.py")
    return stock


def run(stock: Stock, name: str, inputs: str = "{}", node: str = "n0") -> dict[str, object]:
    """Run a workflow; return phase, output, error, and what is shown of its array node."""
    return stock.remote(f"""
        workflow = remote.fetch_workflow(name="mapping.{name}", version="v1")
        done = remote.wait(remote.execute(workflow, inputs={inputs}), poll_interval=timedelta(seconds=1))
        done = remote.sync_execution(done, sync_nodes=True)
        result["phase"] = done.closure.phase
        result["error"] = [done.error.code, done.error.message] if done.error else None
        result["output"] = done.outputs.get("o0") if done.closure.phase == 4 and done.outputs else None
        result["nodes"] = {{name: node.closure.phase for name, node in done.node_executions.items()}}
        array = done.node_executions.get({node!r})
        tasks = array.task_executions if array is not None else []
        result["tasks"] = [task.closure.phase for task in tasks]
        result["elements"] = [
            [element.index, element.retry_attempt, element.phase, bool(element.logs)]
            for task in tasks for element in task.closure.metadata.external_resources
        ]
    """)


def test_a_list_of_three_is_mapped_and_shown_as_one_task_with_three_elements(maps: Stock) -> None:
    answer = run(maps, "three")
    assert (answer["phase"], answer["output"], answer["error"]) == (SUCCEEDED, [2, 4, 6], None)
    assert answer["tasks"] == [3]
    assert answer["elements"] == [[0, 0, 3, True], [1, 0, 3, True], [2, 0, 3, True]]
