"""Tasks: what calling one takes and returns, and what the decorator takes."""

from datetime import timedelta
from typing import NamedTuple, assert_type

from flyte_kit import Cache, Environment, PodTemplate, Resources, Secret, TaskMetadata, dynamic, eager, task
from flyte_kit.core.python_function_task import PythonFunctionTask


class Split(NamedTuple):
    """Two outputs with names."""

    head: str
    rest: list[str]


@task
def length(text: str) -> int:
    return len(text)


@task(
    retries=3,
    timeout=timedelta(minutes=5),
    cache=Cache(version="1"),
    requests=Resources(cpu="500m", mem="1Gi"),
    limits=Resources(cpu=2, mem="2Gi", gpu=1),
    secret_requests=[Secret(group="service", key="token")],
    environment={"MODE": "fast"},
    pod_template=PodTemplate(primary_container_name="primary"),
)
def repeat(text: str, times: int = 2) -> str:
    return text * times


@task
def split(words: list[str]) -> Split:
    return Split(words[0], words[1:])


@task
def pair(n: int) -> tuple[int, str]:
    return n, str(n)


@task
def nothing(n: int) -> None:
    print(n)


@task
def add(numbers: list[int]) -> int:
    return sum(numbers)


@dynamic(retries=1)
def total(words: list[str]) -> int:
    return add(numbers=[length(text=word) for word in words])


quick = Environment(retries=2, cache=Cache(version="2"))


@quick
def first(words: list[str]) -> str:
    return words[0]


@quick(timeout=60)
def last(words: list[str]) -> str:
    return words[-1]


@task
async def slow(n: int) -> float:
    return n / 2


@eager
async def both(n: int) -> float:
    assert_type(length("a"), int)
    return await slow(n=n) + await slow(n=n + 1)


@eager(environment={"MODE": "fast"}, metadata=TaskMetadata(retries=1))
async def outer(n: int) -> float:
    value = await both(n=n)
    assert_type(value, float)
    return value


def calls() -> None:
    assert_type(length("flyte"), int)
    assert_type(length(text="flyte"), int)
    assert_type(repeat("a"), str)
    assert_type(repeat(text="a", times=3), str)
    assert_type(split(words=["a"]).head, str)
    assert_type(split(words=["a"]).rest, list[str])
    number, text = pair(n=1)
    assert_type(number, int)
    assert_type(text, str)
    assert_type(total(words=["a"]), int)
    assert_type(first(words=["a"]), str)
    assert_type(last(words=["a"]), str)
    assert_type(length.task_function("a"), int)
    assert_type(length.name, str)
    nothing(n=1)


def as_a_whole_type(one: PythonFunctionTask) -> str:
    return one.name


as_a_whole_type(length)


def wrong_calls() -> None:
    length(text=3)  # mypy[arg-type] pyright[reportArgumentType]
    length(words="a")  # mypy[call-arg] pyright[reportCallIssue]
    length()  # mypy[call-arg] pyright[reportCallIssue]
    length("a", "b")  # mypy[call-arg] pyright[reportCallIssue]
    repeat("a", times="3")  # mypy[arg-type] pyright[reportArgumentType]
    split(words=["a"]).tail  # mypy[attr-defined] pyright[reportAttributeAccessIssue]
    total(words=[1])  # mypy[list-item] pyright[reportArgumentType]
    first(words="a")  # mypy[arg-type] pyright[reportArgumentType]
    last(3)  # mypy[arg-type] pyright[reportArgumentType]


def wrong_uses_of_what_comes_back() -> None:
    text: str = length(text="a")  # mypy[assignment] pyright[reportAssignmentType]
    repeat(text=length(text="a"))  # mypy[arg-type] pyright[reportArgumentType]
    length(text="a").upper()  # mypy[attr-defined] pyright[reportAttributeAccessIssue]
    number, more, text = pair(n=1)  # mypy[misc] pyright[reportAssignmentType]
    numbers: list[int] = split(words=["a"]).rest  # mypy[assignment] pyright[reportAssignmentType]


async def wrong_awaits() -> None:
    text: str = await slow(n=1)  # mypy[assignment] pyright[reportAssignmentType]
    await both(n="1")  # mypy[arg-type] pyright[reportArgumentType]
    await length(text="a")  # mypy[misc] pyright[reportGeneralTypeIssues]


def wrong_arguments_of_decorators() -> None:
    @task(retry=3)  # mypy[call-overload] pyright[reportCallIssue]
    def misspelt() -> None: ...

    @task(retries="3")  # mypy[call-overload] pyright[reportArgumentType]
    def text_as_a_number() -> None: ...

    @dynamic(cache_policy="x")  # mypy[call-overload] pyright[reportCallIssue]
    def unknown_argument() -> None: ...

    @eager(retries=1)  # mypy[call-overload] pyright[reportCallIssue]
    async def no_metadata() -> None: ...

    @eager  # mypy[arg-type] pyright[reportArgumentType, reportCallIssue]
    def not_a_coroutine() -> int:
        return 1

    Resources(cpus="1")  # mypy[call-arg] pyright[reportCallIssue]
    Resources(mem=[1.5])  # mypy[list-item] pyright[reportArgumentType]
    Environment(retries="2")  # mypy[arg-type] pyright[reportArgumentType]
    task(requests={"cpu": "1"})(length.task_function)  # mypy[call-overload] pyright[reportArgumentType]
