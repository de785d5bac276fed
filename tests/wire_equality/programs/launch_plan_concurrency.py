from flyte_kit import ConcurrencyLimitBehavior, ConcurrencyPolicy, LaunchPlan, task, workflow


@task
def work(a: int) -> int:
    return a


@workflow
def wf(a: int) -> int:
    return work(a=a)


limited = LaunchPlan.create(
    "limited", wf, concurrency=ConcurrencyPolicy(max_concurrency=2, behavior=ConcurrencyLimitBehavior.SKIP)
)
