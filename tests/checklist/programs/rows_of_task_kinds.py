"""What a user would write: tasks that are no functions, eager tasks, decks."""

import asyncio
from pathlib import Path

from flyte_kit import ContainerTask, Deck, FlyteFile, eager, kwtypes, task, workflow
from flyte_kit.core.task import Echo
from flyte_kit.extras.sqlite3 import SQLite3Config, SQLite3Task
from flyte_kit.extras.tasks.shell import OutputLocation, ShellTask

raw = ContainerTask(
    name="rows.raw_container",
    image="alpine:3",
    inputs=kwtypes(text=str, path=str),
    command=["/bin/sh", "-c", 'echo "$0" > "$1"', "{{.inputs.text}}", "{{.inputs.path}}"],
)

counter = ContainerTask(
    name="rows.counting_container",
    image="alpine:3",
    input_data_dir="/tmp/rows-inputs",
    output_data_dir="/tmp/rows-outputs",
    inputs=kwtypes(file=FlyteFile),
    outputs=kwtypes(size=int),
    command=["/bin/sh", "-c", "wc -c < /tmp/rows-inputs/file > /tmp/rows-outputs/size"],
)

shell = ShellTask(
    name="rows.shell",
    script="set -e\necho {inputs.text} | tr a-z A-Z > {outputs.loud}\n",
    inputs=kwtypes(text=str),
    output_locs=[OutputLocation(var="loud", var_type=FlyteFile, location="loud.txt")],
)

query = SQLite3Task(
    name="rows.query",
    query_template="select n * {{ .inputs.factor }} as product from numbers order by n",
    inputs=kwtypes(factor=int),
    task_config=SQLite3Config(uri=str(Path("/tmp/flyte-rows-numbers.db"))),
)

echo = Echo(name="rows.echo", inputs={"a": int})


@task
def one_more(x: int) -> int:
    return x + 1


@task
def length(file: FlyteFile) -> int:
    with open(file) as opened:
        return len(opened.read())


@task
def read(file: FlyteFile) -> str:
    with open(file) as opened:
        return opened.read()


@workflow
def count(file: FlyteFile) -> int:
    return counter(file=file)


@workflow
def loud(text: str) -> str:
    return read(file=shell(text=text))


@workflow
def echoed(a: int) -> int:
    return echo(a=a)


@task(enable_deck=True)
def with_deck(x: int) -> int:
    Deck("mine", f"<b>page {x}</b>")
    return x


@task
def breaks(x: int) -> int:
    raise ValueError(f"no {x}")


@eager
async def twice(x: int) -> int:
    first = one_more(x=x)
    return one_more(x=first)


@task
async def slow(x: int) -> int:
    await asyncio.sleep(60)
    return x


@eager
async def leaves_an_orphan(x: int) -> int:
    orphan = asyncio.create_task(slow(x=x))
    await asyncio.sleep(1)
    breaks(x=x)
    return await orphan
