from flyte_kit import conditional, task, workflow


@task
def work(x: str) -> None: ...


@task
def rest() -> None: ...


@workflow
def wf(x: str) -> None:
    conditional("what").if_(x == "work").then(work(x=x)).else_().then(rest())
