from flyte_kit import task, workflow


@task
def work(x: int) -> int:
    return x


@workflow
def b_leaf(x: int) -> int:
    return work(x=x)


@workflow
def a_leaf(x: int) -> int:
    return b_leaf(x=x)


@workflow
def b_leaf_more(x: int) -> int:
    return work(x=x)


@workflow
def top(x: int) -> int:
    return a_leaf(x=b_leaf(x=b_leaf_more(x=x)))
