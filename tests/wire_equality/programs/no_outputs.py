from flyte_kit import task, workflow


@task
def say(text: str):
    print(text)


@task
def say_none(text: str) -> None:
    print(text)


@workflow
def wf(text: str = "hello"):
    say(text=text)
    say_none(text=text)
