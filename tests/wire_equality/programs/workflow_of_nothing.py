from flyte_kit import task, workflow


@task
def unused(x: int) -> int:
    return x


@workflow
def passes(x: int) -> int:
    return x


@workflow
def outer(x: int) -> int:
    return passes(x=x)
