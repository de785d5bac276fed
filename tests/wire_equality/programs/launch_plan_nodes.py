from flyte_kit import LaunchPlan, task, workflow


@task
def work(a: int, b: int) -> int:
    return a


@workflow
def inner(a: int, b: int = 4) -> int:
    return work(a=a, b=b)


plan = LaunchPlan.get_or_create(inner, "inner_plan", fixed_inputs={"b": 6})
open_plan = LaunchPlan.get_or_create(inner, "open_plan", default_inputs={"a": 9})


@workflow
def outer(a: int) -> int:
    return open_plan(b=plan(a=a))
