from datetime import timedelta

from flyte_kit import task, workflow
from flyte_kit.sensor.file_sensor import FileSensor

wait = FileSensor(name="wait_for_file", timeout=timedelta(minutes=5))


@task
def work() -> int:
    return 1


@workflow
def wf(path: str = "s3://bucket/x") -> int:
    seen = wait(path=path)
    result = work()
    seen >> result
    return result
