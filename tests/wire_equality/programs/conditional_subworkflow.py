from flyte_kit import LaunchPlan, conditional, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def inner(x: int) -> int:
    return double(x=x)


plan = LaunchPlan.get_or_create(inner, "conditional_plan")


@workflow
def wf(x: int) -> int:
    return conditional("kinds").if_(x > 5).then(inner(x=x)).elif_(x > 3).then(plan(x=x)).else_().then(double(x=x))
