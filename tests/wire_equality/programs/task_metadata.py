from datetime import timedelta

from flyte_kit import task


@task(retries=3, timeout=timedelta(minutes=5), interruptible=True, deprecated="use the other one")
def a(x: int) -> int:
    return x


@task(timeout=90, interruptible=False, labels={"team": "a"}, annotations={"note": "b"}, pod_template_name="pool")
def b(x: int) -> int:
    return x
