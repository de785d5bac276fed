from flyte_kit import conditional, task, workflow


@task
def make(x: float) -> float:
    return x


@task
def use(x: float, y: float) -> float:
    return x + y


@workflow
def wf(x: float, y: float = 2.0) -> float:
    a = make(x=x)
    b = make(x=y)
    c = (
        conditional("three_ways")
        .if_((a > 0.1) & (a < 1.0))
        .then(use(x=a, y=b))
        .elif_((a > 1.0) | (y == 3.0))
        .then(use(x=a, y=y))
        .else_()
        .fail("only positive numbers")
    )
    return make(x=c)
