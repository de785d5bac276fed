from flyte_kit import Environment, Resources, workflow

env = Environment(retries=2, environment={"A": "1"}, requests=Resources(cpu="1"))
more = env.extend(environment={"B": "2"}, interruptible=True)


@env
def a(x: int) -> int:
    return x


@more(retries=5)
def b(x: int) -> int:
    return x


@more.dynamic
def c(x: int) -> int:
    return a(x=x)


@workflow
def wf(x: int) -> int:
    return b(x=a(x=x))
