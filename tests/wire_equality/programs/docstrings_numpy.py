from typing import NamedTuple

from flyte_kit import task, workflow

Out = NamedTuple("Out", total=int, text=str)


@task
def add(a: int, b: int) -> Out:
    """Add two numbers.

    Longer text.

    Parameters
    ----------
    a : int
        the first
    b : int
        the second
        one

    Returns
    -------
    total : int
        the sum
    text : str
        a text
    """
    return Out(a + b, "")


@workflow
def wf(a: int) -> Out:
    """Numbers.

    Parameters
    ----------
    a : int
        a number
    """
    return add(a=a, b=1)
