from flyte_kit import Annotations, Labels, Options, task, workflow


@task
def work(x: int) -> int:
    return x


@workflow(default_options=Options(labels=Labels({"a": "b"}), annotations=Annotations({"c": "d"})))
def wf(x: int) -> int:
    return work(x=x)
