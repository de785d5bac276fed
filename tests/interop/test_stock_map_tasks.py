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


def run(stock: Stock, name: str, xs: str = "[1, 2, 3]", node: str = "n0") -> dict[str, object]:
    """Run a workflow; return phase, output, error, and what is shown of its array node."""
    return stock.remote(f"""
        workflow = remote.fetch_workflow(name="mapping.{name}", version="v1")
        done = remote.wait(remote.execute(workflow, inputs={{"xs": {xs}}}), poll_interval=timedelta(seconds=1))
        done = remote.sync_execution(done, sync_nodes=True)
        result["phase"] = done.closure.phase
        result["error"] = [done.error.code, done.error.message] if done.error else None
        result["output"] = done.outputs.get("o0") if done.closure.phase == 4 and done.outputs else None
        result["nodes"] = {{name: node.closure.phase for name, node in done.node_executions.items()}}
        everything = dict(done.node_executions)
        for each in done.node_executions.values():
            everything.update(each.subworkflow_node_executions or {{}})
        array = everything.get({node!r})
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


def test_inputs_that_are_tied_are_the_same_for_all_elements(maps: Stock) -> None:
    assert run(maps, "tied")["output"] == [111, 112, 113]


def test_a_map_that_runs_one_element_at_a_time_gives_its_list_to_the_next_node(maps: Stock) -> None:
    assert run(maps, "narrow")["output"] == 12


def test_an_empty_list_gives_an_empty_list(maps: Stock) -> None:
    answer = run(maps, "three", "[]")
    assert (answer["phase"], answer["output"], answer["elements"]) == (SUCCEEDED, [], [])


def test_where_some_elements_may_fail_there_is_none_in_their_place(maps: Stock) -> None:
    answer = run(maps, "tolerant", "[2, 3, 4]")
    assert (answer["phase"], answer["output"]) == (SUCCEEDED, "[2, None, 4]")
    assert [element[2] for element in answer["elements"]] == [3, 5, 3]  # type: ignore[union-attr]


def test_an_element_that_fails_is_named_in_the_error(maps: Stock) -> None:
    answer = run(maps, "strict", "[2, 3, 4]")
    assert answer["phase"] == FAILED
    message = answer["error"][1]  # type: ignore[index]
    assert "1 of 3 elements failed, 3 must succeed" in message
    assert "[1]: " in message
    assert "odd: 3" in message
    assert answer["tasks"] == [5]


def test_a_map_of_a_task_without_outputs_runs(maps: Stock) -> None:
    answer = run(maps, "silent", "[1, 2]")
    assert answer["phase"] == SUCCEEDED
    assert [element[2] for element in answer["elements"]] == [3, 3]  # type: ignore[union-attr]


def test_a_map_within_a_sub_workflow_runs(maps: Stock) -> None:
    answer = run(maps, "outer", node="n0-0-n0")
    assert (answer["phase"], answer["output"]) == (SUCCEEDED, 12)
    assert len(answer["elements"]) == 3  # type: ignore[arg-type]


def test_a_map_within_a_dynamic_task_runs(maps: Stock) -> None:
    answer = maps.remote("""
        workflow = remote.fetch_workflow(name="mapping.fanned", version="v1")
        done = remote.wait(remote.execute(workflow, inputs={"n": 4}), poll_interval=timedelta(seconds=1))
        result["error"] = done.error.message if done.error else None
        result["output"] = done.outputs["o0"]
    """)
    assert answer == {"error": None, "output": 12}


def test_a_map_of_a_launch_plan_is_an_execution_for_each_element(maps: Stock) -> None:
    answer = run(maps, "plans", "[4, 5]")
    assert (answer["phase"], answer["output"], answer["error"]) == (SUCCEEDED, [8, 10], None)
    children = maps.remote("""
        found = remote.client.list_executions_paginated("flytesnacks", "development", limit=100)[0]
        result["children"] = [run.closure.phase for run in found if run.spec.launch_plan.name == "mapping.one_plan"]
    """)
    assert children["children"] == [SUCCEEDED, SUCCEEDED]
