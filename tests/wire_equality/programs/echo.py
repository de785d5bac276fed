from flyte_kit import workflow
from flyte_kit.core.task import Echo

echo = Echo(name="echo.one", inputs={"a": int})
echo_two = Echo(name="echo.two", inputs={"a": int, "b": str})


@workflow
def wf(a: int) -> int:
    return echo(a=a)
