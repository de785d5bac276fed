from flyte_kit import task


@task(environment={"A": "1", "B": "two", "SHARED": "task"})
def a(x: int) -> int:
    return x
