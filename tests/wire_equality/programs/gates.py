from datetime import timedelta

from flyte_kit import approve, sleep, task, wait_for_input, workflow


@task
def work(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    s = sleep(timedelta(seconds=10))
    y = wait_for_input("the-signal", timeout=timedelta(hours=2), expected_type=int)
    z = work(x=y)
    ok = approve(z, "approve-it", timeout=timedelta(minutes=30))
    last = work(x=ok)
    s >> z
    return last
