from typing import Dict, List

from flyte_kit import LaunchPlan, Workflow, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@task
def say(text: str) -> None: ...


@workflow
def inner(x: int) -> int:
    return double(x=x)


plan = LaunchPlan.get_or_create(inner, "imperative_plan")

wb = Workflow(name="my.imperative")
wb.add_workflow_input("x", int)
wb.add_workflow_input("text", str)
first = wb.add_entity(double, x=wb.inputs["x"])
second = wb.add_task(double, x=first.outputs["o0"])
third = wb.add_subwf(inner, x=second.outputs["o0"])
fourth = wb.add_launch_plan(plan, x=third.outputs["o0"])
fifth = wb.add_entity(total, xs=[first.outputs["o0"], wb.inputs["x"], 4])
sixth = wb.add_entity(say, text=wb.inputs["text"])
fifth >> sixth
wb.add_workflow_output("result", fourth.outputs["o0"])
wb.add_workflow_output("many", [first.outputs["o0"], second.outputs["o0"]], python_type=List[int])
wb.add_workflow_output("named", {"a": first.outputs["o0"]}, python_type=Dict[str, int])
