"""Workflows whose size is known when they run: maps, dynamic tasks, gates, other launch plans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flyteidl.admin.node_execution_pb2 import GetDynamicNodeWorkflowRequest

from serialized import spec_of


@pytest.fixture
def fans(program: Callable[[str], Any]) -> Any:
    return program("rows_of_fans")


def test_009_a_mapped_task_is_one_task_execution_with_a_resource_for_each_element(fans: Any, up: Any) -> None:
    execution = up.run(fans.each, inputs={"xs": [1, 2, 3]})
    assert execution.is_successful, execution.error
    assert execution.outputs.get("o0") == fans.each(xs=[1, 2, 3]) == [2, 4, 6]
    [attempt] = execution.node_executions["n0"].task_executions
    assert len(attempt.closure.metadata.external_resources) == 3


def test_010_an_input_that_is_bound_beforehand_reaches_every_element(fans: Any, up: Any) -> None:
    assert up.value(fans.each_with, xs=[1, 2], b=10) == fans.each_with(xs=[1, 2], b=10) == [11, 12]


def test_011_a_dynamic_task_makes_as_many_nodes_as_its_input_says(
    fans: Any, up: Any, nodes: Callable[[Any], dict[str, str]]
) -> None:
    execution = up.run(fans.fanned, inputs={"n": 4})
    assert execution.is_successful, execution.error
    assert execution.outputs.get("o0") == 12
    assert {f"n0-0-dn{index}" for index in range(4)} <= nodes(execution).keys()
    request = GetDynamicNodeWorkflowRequest(id=execution.node_executions["n0"].id)
    answer = up.remote.client.call(up.remote.client.admin.GetDynamicNodeWorkflow, request)
    assert len(answer.compiled_workflow.primary.template.nodes) >= 4


def test_029_a_map_a_carries_how_many_may_run_at_once_and_how_many_must_succeed(fans: Any) -> None:
    [node] = [node for node in spec_of(fans.some).template.nodes if node.HasField("array_node")]
    assert (node.array_node.parallelism, node.array_node.min_success_ratio) == (2, 0.5)
    assert fans.some(xs=[1, 2, 3]) == [1, None, 3]


def test_029_a_map_b_with_a_ratio_has_none_for_an_element_that_failed(fans: Any, up: Any) -> None:
    assert up.value(fans.some, xs=[1, 2, 3]) == [1, None, 3]


def test_030_launch_plans_b_that_are_mapped_are_an_execution_for_each_element(fans: Any, up: Any) -> None:
    execution = up.run(fans.each_execution, inputs={"xs": [1, 2]})
    assert execution.is_successful, execution.error
    assert execution.outputs.get("o0") == [2, 4]
    children = up.remote.recent_executions(filters="eq(launch_plan.name,rows.one_plan)")
    assert len(children) == 2


def test_030_launch_plans_a_run_as_nodes(program: Callable[[str], Any], up: Any) -> None:
    execution = up.run(program("rows_of_gates").by_plan, inputs={"x": 3})
    assert execution.is_successful, execution.error
    [node] = [node for node in execution.node_executions.values() if node.workflow_executions]
    assert node.workflow_executions[0].outputs.get("o0") == execution.outputs.get("o0") == 6


def _signals(up: Any, name: str, count: int) -> list[str]:
    """Wait until gates have asked, or the execution has ended."""

    def asked() -> bool:
        return len(up.remote.list_signals(name)) >= count or up.remote.fetch_execution(name=name).is_done

    up.until(asked)
    return sorted(each.id.signal_id for each in up.remote.list_signals(name))


def test_032_gates_a_wait_until_they_are_answered(program: Callable[[str], Any], up: Any) -> None:
    execution = up.remote.execute(program("rows_of_gates").asks, inputs={"x": 3})
    assert _signals(up, execution.name, 1) == ["how-many"]
    up.remote.set_input("how-many", execution.name, 4)
    assert "go-on" in _signals(up, execution.name, 2)
    up.remote.approve("go-on", execution.name)
    assert up.remote.wait(execution, timeout=timedelta(seconds=30)).outputs.get("o0") == 7


def test_032_gates_b_fail_when_nobody_answers_in_time(program: Callable[[str], Any], up: Any) -> None:
    execution = up.run(program("rows_of_gates").impatient, seconds=30)
    assert execution.phase == "FAILED"
    assert any(node.phase in ("TIMED_OUT", "FAILED") for node in execution.node_executions.values())
    assert "node kind" not in execution.error.message


def test_110_signals_a_refused_approval_fails_the_execution(program: Callable[[str], Any], up: Any) -> None:
    execution = up.remote.execute(program("rows_of_gates").asks, inputs={"x": 3})
    assert _signals(up, execution.name, 1) == ["how-many"]
    up.remote.set_signal("how-many", execution.name, 4)
    assert "go-on" in _signals(up, execution.name, 2)
    up.remote.reject("go-on", execution.name)
    assert up.remote.wait(execution, timeout=timedelta(seconds=30)).phase == "FAILED"
