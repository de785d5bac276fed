from flyte_kit import eager, task


@task
def add_one(x: int) -> int:
    return x + 1


@eager
async def simple(x: int) -> int:
    return add_one(x=add_one(x=x))
