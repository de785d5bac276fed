from typing import Tuple

from flyte_kit import task, workflow


@task
def add(a: int, b: int) -> int:
    """
    Add two numbers.

    They can be negative
    as well.

    :param a: the first
    :param b: the second one,
        which is longer
    :return: the sum
    """
    return a + b


@task
def pair(a: int) -> Tuple[int, str]:
    """One line only."""
    return a, ""


@workflow
def wf(a: int) -> int:
    """A workflow.

    :param int a: a number
    :returns: shared by all
    """
    return add(a=a, b=1)
