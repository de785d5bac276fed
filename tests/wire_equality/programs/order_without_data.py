from flyte_kit import task, workflow
from flyte_kit.core.node_creation import create_node


@task
def a() -> None: ...


@task
def b() -> None: ...


@task
def c() -> int:
    return 1


@workflow
def wf() -> int:
    first = create_node(a)
    second = create_node(b)
    third = create_node(c)
    first >> second
    second.runs_before(third)
    return third.o0


@workflow
def by_promises() -> int:
    one = a()
    two = b()
    three = c()
    one >> two
    two >> three
    return three
