from flyte_kit import LaunchPlan, Resources, dynamic, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def inner(x: int) -> int:
    return double(x=x)


plan = LaunchPlan.get_or_create(inner, "hinted_plan")


@dynamic(node_dependency_hints=[plan], requests=Resources(cpu="2"), cache=True, cache_version="2")
def launcher(n: int) -> int:
    return plan(x=n)
