from flyte_kit import conditional, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@task
def half(x: int) -> int:
    return x // 2


@workflow
def wf(x: int) -> int:
    return conditional("big").if_(x > 5).then(double(x=x)).else_().then(half(x=x))
