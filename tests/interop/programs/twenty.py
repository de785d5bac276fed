"""Twenty tasks in a row; each leaves one line per run in a file of the folder that it is given."""

import os
import time
from pathlib import Path

from flytekit import task, workflow


@task
def step(number: int, marks: str) -> int:
    with (Path(marks) / f"{number:02}").open("a") as file:
        file.write(f"{os.getpid()} {time.time()}\n")
    time.sleep(0.1)
    return number + 1


@workflow
def twenty(marks: str) -> int:
    number = step(number=0, marks=marks)
    for _ in range(19):
        number = step(number=number, marks=marks)
    return number
