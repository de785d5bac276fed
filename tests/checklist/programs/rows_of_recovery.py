"""What a user would write: a workflow that fails at first."""

from flyte_kit import task, workflow


def _times(path: str) -> int:
    with open(path, "a") as file:
        file.write("x")
    with open(path) as file:
        return len(file.read())


@task
def first(path: str) -> int:
    return _times(path + ".first")


@task
def second(path: str, n: int) -> int:
    if _times(path + ".second") == 1:
        raise ValueError("not yet")
    return n


@workflow
def second_fails_once(path: str) -> int:
    return second(path=path, n=first(path=path))
