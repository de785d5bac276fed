from typing import Optional

from flyte_kit import task, workflow
from flyte_kit.types.error import FlyteError


@task
def work(name: str) -> str:
    return name


@task
def clean_up(name: str, err: Optional[FlyteError] = None) -> None: ...


@task
def simple_clean_up(name: str) -> None: ...


@workflow
def clean_up_wf(name: str):
    simple_clean_up(name=name)


@workflow(on_failure=clean_up)
def wf(name: str = "n") -> str:
    return work(name=name)


@workflow(on_failure=simple_clean_up)
def simple(name: str) -> str:
    return work(name=name)


@workflow(on_failure=clean_up_wf)
def by_workflow(name: str) -> str:
    return work(name=name)
