"""Workflows: what they look like on the wire, and how they run."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyte_kit import ImperativeWorkflow, workflow
from flyte_kit.core.node_creation import create_node
from flyte_kit.exceptions.user import FlyteInvalidInputException
from serialized import plan_of, spec_of


@pytest.fixture
def flows(program: Callable[[str], Any]) -> Any:
    return program("rows_of_workflows")


def test_003_two_tasks_in_a_chain_are_the_nodes_n0_and_n1_and_a_promise_between_them(flows: Any) -> None:
    template = spec_of(flows.chain).template
    assert [node.id for node in template.nodes if not node.id.endswith("-node")] == ["n0", "n1"]
    second = next(node for node in template.nodes if node.id == "n1")
    promise = second.inputs[0].binding.promise
    assert (promise.node_id, promise.var) == ("n0", "o0")
    assert [*second.upstream_node_ids] == ["n0"]


def test_004_a_default_of_a_workflow_stands_in_its_launch_plan_and_is_used(flows: Any, up: Any) -> None:
    parameter = plan_of(flows.with_default).spec.default_inputs.parameters["x"]
    assert parameter.default.scalar.primitive.integer == 3
    assert plan_of(flows.chain).spec.default_inputs.parameters["x"].required
    assert flows.with_default() == 6
    assert up.value(flows.with_default) == 6


def test_005_several_outputs_are_o0_and_o1_or_the_fields_of_a_named_tuple(flows: Any) -> None:
    assert sorted(spec_of(flows.pair).template.interface.outputs.variables) == ["o0", "o1"]
    assert sorted(spec_of(flows.named).template.interface.outputs.variables) == ["label", "width"]
    assert flows.pair(x=3) == (3, "size 3")
    assert flows.named(x=3) == flows.Sizes(3, "size 3")


def test_006_a_sub_workflow_goes_along_and_its_nodes_are_below_its_own(
    flows: Any, up: Any, nodes: Callable[[Any], dict[str, str]]
) -> None:
    assert [sub.id.name for sub in spec_of(flows.outer).sub_workflows] == ["rows_of_workflows.inner"]
    execution = up.run(flows.outer, inputs={"x": 3})
    assert execution.outputs.get("o0") == 12
    assert nodes(execution)["n1-0-n0"] == "SUCCEEDED"


def test_007_nodes_without_values_between_them_run_in_the_order_that_is_written(
    flows: Any, up: Any, tmp_path: Path
) -> None:
    upstream = {node.id: [*node.upstream_node_ids] for node in spec_of(flows.in_order).template.nodes}
    assert (upstream["n0"], upstream["n2"]) == (["n1"], ["n0"])
    assert up.run(flows.in_order, inputs={"path": str(tmp_path / "order")}).is_successful
    assert (tmp_path / "order").read_text().split() == ["two", "one", "three"]


def test_007_calls_and_nodes_of_every_kind_can_be_put_in_order(flows: Any) -> None:
    made: dict[str, Callable[[], Any]] = {
        "value": lambda: flows.double(x=1),
        "nothing": lambda: flows.note(text="a", path="b"),
        "tuple": lambda: flows.measure(x=1),
        "node": lambda: create_node(flows.double, x=1),
    }
    for first, second in itertools.product(made, made):

        @workflow
        def ordered() -> None:
            later, earlier = made[second](), made[first]()  # noqa: B023 - the body is read at once
            earlier >> later

        upstream = {node.id: [*node.upstream_node_ids] for node in spec_of(ordered).template.nodes}
        assert upstream["n0"] == ["n1"], (first, second)


def test_008_only_the_branch_whose_condition_holds_runs(
    flows: Any, up: Any, nodes: Callable[[Any], dict[str, str]]
) -> None:
    execution = up.run(flows.choose, inputs={"x": 5})
    assert execution.outputs.get("o0") == flows.choose(x=5) == 105
    seen = nodes(execution)
    assert seen["n0-0-n0-n1"] == "SUCCEEDED"
    assert execution.node_executions["n0"].node_executions["n0-0-n0-n1"].metadata.spec_node_id == "n0-n1"
    assert {seen[name] for name in ("n0-0-n0-n0", "n0-0-n0-n2") if name in seen} <= {"SKIPPED"}


def test_012_a_launch_plan_gives_its_inputs_and_a_fixed_one_cannot_be_replaced(flows: Any, up: Any) -> None:
    assert up.value(flows.plan) == 9
    assert up.value(flows.plan, a=1) == 3
    registered = up.remote.register_script(flows.plan)
    with pytest.raises((FlyteInvalidInputException, ValueError), match="b"):
        up.remote.execute(registered, inputs={"b": 4})


def test_021_settings_of_a_node_stand_in_the_template_and_are_obeyed(flows: Any, up: Any, tmp_path: Path) -> None:
    [node] = [node for node in spec_of(flows.overridden).template.nodes if node.id == "third"]
    assert node.metadata.retries.retries == 2
    execution = up.run(flows.overridden, inputs={"path": str(tmp_path / "tries")})
    assert execution.outputs.get("o0") == 3
    assert len(execution.node_executions["third"].task_executions) == 3


def test_023_a_workflow_gives_the_same_here_and_remotely(flows: Any, up: Any) -> None:
    given: dict[str, Any] = {"x": -5, "f": 0.1, "text": "ü", "flag": True, "xs": [1, 2], "m": {"k": 2.5}, "o": None}
    assert up.value(flows.everything_at_once, **given) == flows.everything_at_once(**given)


def test_025_the_failure_handler_runs_and_is_told_which_node_failed(
    flows: Any, up: Any, tmp_path: Path, nodes: Callable[[Any], dict[str, str]]
) -> None:
    execution = up.run(flows.cleaned, inputs={"x": 7, "path": str(tmp_path / "told")})
    assert execution.phase == "FAILED"
    assert nodes(execution)["fn0"] == "SUCCEEDED"
    told = (tmp_path / "told").read_text()
    assert told.startswith("7 fn0 ")
    assert "no 7" in told


def test_026_an_independent_branch_goes_on_after_another_has_failed(flows: Any, up: Any, tmp_path: Path) -> None:
    execution = up.run(flows.patient, inputs={"x": 7, "path": str(tmp_path / "note")})
    assert execution.phase == "FAILED"
    assert (tmp_path / "note").read_text() == "kept going\n"


def test_028_a_workflow_made_by_calls_is_the_same_on_the_wire_as_the_function(flows: Any) -> None:
    made = ImperativeWorkflow(name="rows_of_workflows.chain")
    made.add_workflow_input("x", int)
    first = made.add_entity(flows.double, x=made.inputs["x"])
    second = made.add_entity(flows.double, x=first.outputs["o0"])
    made.add_workflow_output("o0", second.outputs["o0"])
    by_calls, by_function = spec_of(made), spec_of(flows.chain)
    assert by_calls.template.nodes == by_function.template.nodes
    assert by_calls.template.outputs == by_function.template.outputs
    assert by_calls.template.interface.inputs == by_function.template.interface.inputs


@pytest.fixture(scope="module")
def references(up: Any, program: Callable[[str], Any]) -> Any:
    """Return the program, once what it refers to is registered."""
    up.remote.register_script(program("rows_of_workflows").outer, version="known-1")
    return program("rows_of_references")


def test_031_a_reference_a_runs_what_is_registered_already(references: Any, up: Any) -> None:
    assert up.value(references.by_reference, x=1) == 4
    assert up.value(references.known_workflow, x=1) == 4
    with pytest.raises(Exception, match=r"reference|registered|remote|mock"):
        references.known_task(x=3)


def test_031_a_reference_b_to_a_launch_plan_is_a_node_of_a_workflow(references: Any, up: Any) -> None:
    assert up.value(references.by_launch_plan, x=1) == 4


def test_034_conditionals_a_in_each_other_run_and_their_nodes_have_names_of_their_own(
    flows: Any, up: Any, nodes: Callable[[Any], dict[str, str]]
) -> None:
    execution = up.run(flows.choose_twice, inputs={"x": 7})
    assert execution.outputs.get("o0") == 8
    workflow_message = up.remote.client.get_workflow(execution.closure.workflow_id)
    primary = workflow_message.closure.compiled_workflow.primary.template
    ids = [node.id for node in primary.nodes]
    for branch in [node.branch_node.if_else for node in primary.nodes if node.HasField("branch_node")]:
        ids += [branch.case.then_node.id, branch.else_node.id]
    assert len(ids) == len(set(ids))


def test_034_conditionals_b_run_inside_of_a_dynamic_task(up: Any, program: Callable[[str], Any]) -> None:
    assert up.value(program("rows_of_fans").choose_inside, n=3) == 103


def test_035_a_part_of_a_structure_is_named_by_a_promise_and_found_when_it_runs(flows: Any, up: Any) -> None:
    node = next(node for node in spec_of(flows.of_a_tree).template.nodes if node.id == "n1")
    path = node.inputs[0].binding.promise.attr_path
    assert [each.string_value or each.int_value for each in path] == ["leaves", "oak", 1, "n"]
    assert up.value(flows.of_a_tree) == flows.of_a_tree() == 10


def test_047_documentation_of_a_function_describes_its_variables() -> None:
    @workflow
    def described(x: int) -> int:
        """Count.

        Args:
            x: how many

        Returns:
            as many
        """
        return x

    interface = spec_of(described).template.interface
    assert interface.inputs.variables["x"].description == "how many"
    assert interface.outputs.variables["o0"].description == "as many"


def test_054_a_task_that_is_defined_in_the_body_of_a_workflow_runs(flows: Any, up: Any) -> None:
    assert flows.task_in_the_body(x=1) == 1001
    assert up.value(flows.task_in_the_body, x=1) == 1001


def test_055_what_a_dynamic_task_says_that_it_may_call_is_registered_with_it(
    up: Any, program: Callable[[str], Any]
) -> None:
    fans = program("rows_of_fans")
    registered = up.remote.register_script(fans.launcher)
    plan = up.remote.fetch_launch_plan(name="rows.hinted_plan", version=registered.id.version)
    assert plan.spec.workflow_id.name == "rows_of_fans.one"
