from flyte_kit import task, workflow


@task
def add(a: int, b: int) -> int:
    """Add two numbers.

    Longer text.

    Args:
        a: the first
        b (int): the second

    Returns:
        the sum
    """
    return a + b


@workflow
def wf(a: int) -> int:
    """
    Args:
        a (int): a number
    """
    return add(a=a, b=1)
