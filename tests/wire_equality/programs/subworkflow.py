from flyte_kit import task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def inner(x: int) -> int:
    return double(x=x)


@workflow
def middle(x: int) -> int:
    return inner(x=inner(x=x))


@workflow
def outer(x: int = 1) -> int:
    return double(x=middle(x=x))
