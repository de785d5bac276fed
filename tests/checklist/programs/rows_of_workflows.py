"""What a user would write: workflows."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from flyte_kit import (
    FlyteDirectory,
    FlyteFile,
    LaunchPlan,
    PythonFunctionTask,
    WorkflowFailurePolicy,
    conditional,
    current_context,
    task,
    workflow,
)
from flyte_kit.core.node_creation import create_node
from flyte_kit.exceptions.user import FlyteRecoverableException
from flyte_kit.types.error import FlyteError


class Sizes(NamedTuple):
    width: int
    label: str


@dataclass
class Leaf:
    n: int
    names: list[str]


@dataclass
class Tree:
    leaves: dict[str, list[Leaf]]


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def measure(x: int) -> Sizes:
    return Sizes(x, f"size {x}")


@task
def fail(x: int) -> int:
    raise ValueError(f"no {x}")


@task
def note(text: str, path: str) -> None:
    with open(path, "a") as file:
        file.write(text + "\n")


@workflow
def chain(x: int) -> int:
    return double(x=double(x=x))


@workflow
def with_default(x: int = 3) -> int:
    return double(x=x)


@workflow
def pair(x: int) -> tuple[int, str]:
    sizes = measure(x=x)
    return sizes.width, sizes.label


@workflow
def named(x: int) -> Sizes:
    width, label = measure(x=x)
    return Sizes(width, label)


@workflow
def inner(x: int) -> int:
    return double(x=x)


@workflow
def outer(x: int) -> int:
    return inner(x=double(x=x))


@workflow
def in_order(path: str) -> None:
    first = create_node(note, text="one", path=path)
    second = create_node(note, text="two", path=path)
    third = create_node(note, text="three", path=path)
    second >> first
    first >> third


@workflow
def choose(x: int) -> int:
    return conditional("size").if_(x < 2).then(double(x=x)).elif_(x < 10).then(add(a=x, b=100)).else_().then(inner(x=x))


@workflow
def choose_twice(x: int) -> int:
    return (
        conditional("outer")
        .if_(x > 10)
        .then(double(x=x))
        .else_()
        .then(conditional("inner").if_(x > 5).then(add(a=x, b=1)).else_().then(add(a=x, b=2)))
    )


@workflow
def sum_of_two(a: int, b: int) -> int:
    return add(a=a, b=b)


plan = LaunchPlan.get_or_create(sum_of_two, "rows.fixed_plan", default_inputs={"a": 7}, fixed_inputs={"b": 2})


@task(retries=2)
def third_time(path: str) -> int:
    with open(path, "a") as file:
        file.write("x")
    with open(path) as file:
        attempts = len(file.read())
    if attempts < 3:
        raise FlyteRecoverableException(f"attempt {attempts}")
    return attempts


@task
def third_time_by_override(path: str) -> int:
    with open(path, "a") as file:
        file.write("x")
    with open(path) as file:
        attempts = len(file.read())
    if attempts < 3:
        raise FlyteRecoverableException(f"attempt {attempts}")
    return attempts


@workflow
def overridden(path: str) -> int:
    return third_time_by_override(path=path).with_overrides(retries=2, node_name="third")


@task(timeout=timedelta(seconds=1))
def too_slow() -> None:
    import time

    time.sleep(30)


@workflow
def hurried() -> None:
    too_slow()


@task
def clean_up(x: int, path: str, err: FlyteError | None = None) -> None:
    with open(path, "w") as file:
        file.write(f"{x} {err.failed_node_id if err else None} {err.message if err else None}")


@workflow(on_failure=clean_up)
def cleaned(x: int, path: str) -> int:
    return fail(x=x)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def patient(x: int, path: str) -> int:
    failed = fail(x=x)
    note(text="kept going", path=path)
    return failed


@task
def make_tree() -> Tree:
    return Tree({"oak": [Leaf(1, ["a"]), Leaf(5, ["b", "c"])]})


@workflow
def of_a_tree() -> int:
    tree = make_tree()
    return double(x=tree.leaves["oak"][1].n)


@task
def who_am_i() -> tuple[str, str, str]:
    context = current_context()
    assert context.working_directory
    return context.execution_id.name, context.execution_id.domain, context.task_id.name


@task
def remember() -> int:
    checkpoint = current_context().checkpoint
    before = int(checkpoint.read() or b"0")
    checkpoint.write(str(before + 10).encode())
    if before < 20:
        raise FlyteRecoverableException(f"had {before}")
    return before


@workflow
def remembering() -> int:
    return remember().with_overrides(retries=3)


def plus_a_thousand(x: int) -> int:
    return x + 1000


@workflow
def task_in_the_body(x: int) -> int:
    inside = PythonFunctionTask(task_config=None, task_function=plus_a_thousand)
    return inside(x=x)


@task
def many_kinds(x: int, f: float, text: str, flag: bool, xs: list[int], m: dict[str, float], o: int | None) -> str:
    return f"{x} {f} {text} {flag} {xs} {m} {o}"


@workflow
def everything_at_once(
    x: int, f: float, text: str, flag: bool, xs: list[int], m: dict[str, float], o: int | None = None
) -> str:
    return many_kinds(x=x, f=f, text=text, flag=flag, xs=xs, m=m, o=o)


@task
def write_files(n: int) -> tuple[FlyteFile, FlyteDirectory]:
    folder = FlyteDirectory.new("folder")
    for index in range(n):
        with folder.new_file(f"part{index}.txt").open("w") as file:
            file.write("x" * index)
    path = current_context().working_directory + "/one.txt"
    with open(path, "w") as file:
        file.write("one file")
    return FlyteFile(path), folder


@task
def read_files(file: FlyteFile, folder: FlyteDirectory) -> tuple[str, list[str]]:
    import os

    with open(file) as opened:
        text = opened.read()
    return text, sorted(os.listdir(folder))


@workflow
def files(n: int) -> tuple[str, list[str]]:
    file, folder = write_files(n=n)
    return read_files(file=file, folder=folder)
