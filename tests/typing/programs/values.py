"""Values: files, folders, tables, dataclasses, enums, unions, and what tasks ask their context."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Annotated, Any, assert_type

from flyte_kit import FlyteDirectory, FlyteFile, HashMethod, StructuredDataset, current_context, kwtypes, task, workflow
from flyte_kit.types.directory import TensorboardLogs
from flyte_kit.types.file import CSVFile, FileExt, csv

TarGz = Annotated[str, FileExt("tar.gz")]
Table = Annotated[StructuredDataset, kwtypes(name=str, size=int)]


class Frame:
    """What a plugin for tables would read."""

    rows = 0


class Colour(enum.Enum):
    """An enum."""

    RED = "red"


@dataclass
class Point:
    """A dataclass."""

    x: int
    label: str = ""


@task
def make_file(text: str) -> FlyteFile:
    file = FlyteFile.new_remote_file("a.txt")
    with file.open("w") as stream:
        assert_type(stream, IO[Any])
        stream.write(text)
    return file


@task
def make_csv() -> CSVFile:
    return CSVFile("a.csv")


@task
def read(file: FlyteFile[csv], archive: FlyteFile[TarGz]) -> str:
    with open(file) as stream:
        return stream.read() + archive.download()


@task
def make_folder() -> FlyteDirectory:
    folder = FlyteDirectory.new("results")
    assert_type(folder.download(), str)
    return folder


@task
def make_logs() -> TensorboardLogs:
    return TensorboardLogs("logs")


@task
def make_table() -> Table:
    return StructuredDataset(uri="s3://bucket/table", file_format="parquet")


@task
def rows(table: StructuredDataset) -> int:
    frame = table.open(Frame).all()
    assert_type(frame, Frame)
    return frame.rows


@task
def move(point: Point, colour: Colour, when: datetime | None = None) -> Point:
    return Point(point.x + 1, colour.value)


def total(values: list[int]) -> str:
    return str(sum(values))


@task
def hashed() -> Annotated[list[int], HashMethod(total)]:
    return [1, 2]


@task
def asks() -> str:
    context = current_context()
    assert_type(context.secrets.get("group", "key"), str)
    assert_type(context.working_directory, str)
    return f"{context.execution_id.name} at {context.execution_date}"


@workflow
def values(text: str) -> int:
    file = make_file(text=text)
    assert_type(file, FlyteFile[Any])
    assert_type(move(point=Point(1), colour=Colour.RED).label, str)
    assert_type(hashed(), list[int])
    rows(table=make_table())
    make_logs()
    make_folder()
    return move(point=Point(x=1), colour=Colour.RED).x


@workflow
def wrong_values(text: str) -> int:
    move(point=3, colour=Colour.RED)  # mypy[arg-type] pyright[reportArgumentType]
    move(point=Point(1), colour="red")  # mypy[arg-type] pyright[reportArgumentType]
    read(file=make_folder(), archive=make_file(text=text))  # mypy[arg-type] pyright[reportArgumentType]
    rows(table=make_csv())  # mypy[arg-type] pyright[reportArgumentType]
    return make_file(text=text)  # mypy[return-value] pyright[reportReturnType]


def wrong_arguments() -> None:
    FlyteFile(path=3)  # mypy[arg-type] pyright[reportArgumentType]
    FlyteDirectory()  # mypy[call-arg] pyright[reportCallIssue]
