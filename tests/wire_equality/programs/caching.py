from flyte_kit import Cache, task


@task(cache=True, cache_version="1.0")
def old(x: int) -> int:
    return x


@task(cache=True, cache_version="1.1", cache_serialize=True, cache_ignore_input_vars=("y",))
def old_more(x: int, y: int) -> int:
    return x


@task(cache=Cache(version="2", serialize=True, ignored_inputs=("y",)))
def new(x: int, y: int) -> int:
    return x


@task(cache=Cache(version="3", ignored_inputs="y"))
def single(x: int, y: int) -> int:
    return x
