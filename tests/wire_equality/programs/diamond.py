from flyte_kit import task, workflow


@task
def start() -> int:
    return 1


@task
def left(x: int) -> int:
    return x


@task
def right(x: int) -> int:
    return x


@task
def join(a: int, b: int) -> int:
    return a + b


@workflow
def wf() -> int:
    s = start()
    return join(b=right(x=s), a=left(x=s))
