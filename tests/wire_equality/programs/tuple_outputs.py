from typing import Tuple

from flyte_kit import task, workflow


@task
def split(text: str) -> Tuple[str, int]:
    return text, len(text)


@workflow
def wf(text: str) -> Tuple[int, str]:
    a, b = split(text=text)
    return b, a
