from flyte_kit import task, workflow


@task
async def slow(x: int) -> int:
    return x


@task
def quick(x: int) -> int:
    return x
