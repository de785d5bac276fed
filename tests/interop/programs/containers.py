"""Containers that know nothing of Flyte: their inputs and outputs are files."""

from flytekit import ContainerTask, kwtypes, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

SCRIPT = """
set -e
for name in text number ratio yes; do cp /var/inputs/$name /var/outputs/$name; done
cut -d: -f1 /var/inputs/inputs.json >&2
"""

echo = ContainerTask(
    name="containers.echo_values",
    image="alpine:3",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(text=str, number=int, ratio=float, yes=bool),
    outputs=kwtypes(text=str, number=int, ratio=float, yes=bool),
    command=["/bin/sh", "-c", SCRIPT],
)

templated = ContainerTask(
    name="containers.templated",
    image="alpine:3",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(text=str, times=int),
    outputs=kwtypes(said=str),
    command=["/bin/sh", "-c", 'printf "%s x %s" "$1" "$2" > "$0"'],
    arguments=["/var/outputs/said", "{{.inputs.text}}", "{{.inputs.times}}"],
)

upper = ContainerTask(
    name="containers.upper",
    image="alpine:3",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(source=FlyteFile),
    outputs=kwtypes(loud=FlyteFile, parts=FlyteDirectory),
    command=[
        "/bin/sh",
        "-c",
        "set -e; tr a-z A-Z < /var/inputs/source > /var/outputs/loud; mkdir -p /var/outputs/parts/deep; "
        "head -c 3 /var/inputs/source > /var/outputs/parts/deep/head",
    ],
)

forgetful = ContainerTask(
    name="containers.forgetful",
    image="alpine:3",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(x=int),
    outputs=kwtypes(there=int, forgotten=int),
    command=["/bin/sh", "-c", "cp /var/inputs/x /var/outputs/there"],
)

broken = ContainerTask(
    name="containers.broken",
    image="alpine:3",
    output_data_dir="/var/outputs",
    outputs=kwtypes(y=int),
    command=["/bin/sh", "-c", "echo this went wrong; exit 3"],
)


@task
def write(text: str) -> FlyteFile:
    with open("written.txt", "w") as file:
        file.write(text)
    return FlyteFile("written.txt")


@task
def read(file: FlyteFile, folder: FlyteDirectory) -> str:
    with open(file) as opened, open(f"{folder.download()}/deep/head") as head:
        return opened.read() + head.read()


@workflow
def values(text: str, number: int, ratio: float, yes: bool) -> tuple[str, int, float, bool]:
    done = echo(text=text, number=number, ratio=ratio, yes=yes)
    return done.text, done.number, done.ratio, done.yes


@workflow
def words(text: str, times: int) -> str:
    return templated(text=text, times=times)


@workflow
def files(text: str) -> str:
    done = upper(source=write(text=text))
    return read(file=done.loud, folder=done.parts)


@workflow
def forgets(x: int) -> int:
    return forgetful(x=x).there


@workflow
def breaks() -> int:
    return broken()
