from flyte_kit import Documentation, Description, WorkflowFailurePolicy, task, workflow


@task(interruptible=True)
def work(x: int) -> int:
    return x


@workflow(interruptible=True, failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def wf(x: int) -> int:
    return work(x=x)


@workflow
def outer(x: int) -> int:
    return wf(x=x)


@workflow(docs=Documentation(short_description="short", long_description=Description(value="long")))
def documented(x: int) -> int:
    return work(x=x)
