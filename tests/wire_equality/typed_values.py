"""Typed values that both SDKs encode, as a user writes them; the import is swapped by text for the other SDK.

``CASES`` maps an id to the Python type and a function that makes the value in a given folder.
"""

import collections
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import numpy as np
import pandas as pd
import pyarrow as pa
from flyte_kit.core.annotation import FlyteAnnotation
from flyte_kit.types.error import FlyteError
from flyte_kit.types.file import CSVFile, JPEGImageFile, PythonPickledFile
from flyte_kit.types.schema import FlyteSchema
from flyteidl.core.errors_pb2 import ContainerError
from mashumaro.mixins.json import DataClassJSONMixin
from pydantic import BaseModel

from flyte_kit import FlyteDirectory, FlyteFile, HashMethod, StructuredDataset, kwtypes


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Mode(str, enum.Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass
class Inner:
    a: int
    b: str = "b"


@dataclass
class Point:
    x: int
    y: float
    label: str


@dataclass
class Many:
    flag: bool
    when: datetime
    day: date
    span: timedelta
    colour: Colour
    inner: Inner
    inners: list[Inner]
    by_name: dict[str, Inner]
    by_number: dict[int, str]
    maybe: int | None = None
    other: int | str = 3
    tags: list[str] = field(default_factory=list)
    nested: list[list[int]] = field(default_factory=list)


@dataclass
class WithJson(DataClassJSONMixin):
    a: int
    b: list[float] | None = None


@dataclass
class HasFile:
    file: FlyteFile
    folder: FlyteDirectory
    files: list[FlyteFile]
    table: StructuredDataset | None = None


@dataclass
class Empty:
    pass


@dataclass
class Node:
    value: int
    names: tuple[int, ...] = ()


class Setting(BaseModel):
    rate: float
    tags: list[str] = []
    colour: Colour = Colour.RED
    inner: Optional["Sub"] = None


class Sub(BaseModel):
    n: int
    when: datetime | None = None


Setting.model_rebuild()


class ModelWithFile(BaseModel):
    file: FlyteFile
    number: int = 3


class Plain:
    def __init__(self, n: int) -> None:
        self.n = n


UTC = UTC
NOON = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)
INNER = Inner(a=1)


def a_file(folder: Path) -> str:
    path = folder / "data.csv"
    path.write_text("a,b\n1,2\n")
    return str(path)


def a_folder(folder: Path) -> str:
    path = folder / "many"
    path.mkdir(exist_ok=True)
    (path / "one.txt").write_text("one")
    return str(path)


def fixed(value: Any) -> Callable[[Path], Any]:
    return lambda folder: value


CASES: dict[str, tuple[Any, Callable[[Path], Any]]] = {
    "int": (int, fixed(3)),
    "int-zero": (int, fixed(0)),
    "int-largest": (int, fixed(2**63 - 1)),
    "int-smallest": (int, fixed(-(2**63))),
    "float": (float, fixed(1.5)),
    "float-zero": (float, fixed(0.0)),
    "float-infinite": (float, fixed(float("inf"))),
    "float-tiny": (float, fixed(5e-324)),
    "bool-true": (bool, fixed(True)),
    "bool-false": (bool, fixed(False)),
    "str": (str, fixed("text")),
    "str-empty": (str, fixed("")),
    "str-unicode": (str, fixed("naïve 日本 🚀\n\t")),
    "datetime": (datetime, fixed(NOON)),
    "datetime-naive": (datetime, fixed(datetime(2020, 1, 1, 5))),
    "datetime-before-1970": (datetime, fixed(datetime(1931, 5, 6, 7, 8, 9, 10, tzinfo=UTC))),
    "datetime-zone": (datetime, fixed(datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))))),
    "date": (date, fixed(date(2024, 2, 29))),
    "timedelta": (timedelta, fixed(timedelta(days=1, seconds=2, microseconds=3))),
    "timedelta-negative": (timedelta, fixed(timedelta(seconds=-90, microseconds=500))),
    "timedelta-zero": (timedelta, fixed(timedelta())),
    "none": (type(None), fixed(None)),
    "list-int": (list[int], fixed([1, 2, 3])),
    "list-empty": (list[str], fixed([])),
    "list-builtin": (list[str], fixed(["a", "b"])),
    "list-of-lists": (list[list[list[int]]], fixed([[[1], []], [[2, 3]]])),
    "list-optional": (list[int | None], fixed([1, None, 2])),
    "list-enum": (list[Colour], fixed([Colour.RED, Colour.BLUE])),
    "list-dataclass": (list[Inner], fixed([Inner(1), Inner(2, "c")])),
    "list-datetime": (list[datetime], fixed([NOON])),
    "list-union": (list[int | str], fixed([1, "a"])),
    "list-of-dict": (list[dict[str, int]], fixed([{"a": 1}])),
    "dict-str-int": (dict[str, int], fixed({"a": 1, "b": 2})),
    "dict-str-list": (dict[str, list[float]], fixed({"a": [1.0], "b": []})),
    "dict-builtin": (dict[str, str], fixed({"x": "y"})),
    "dict-nested": (dict[str, dict[str, int]], fixed({"a": {"b": 1}})),
    "dict-str-dataclass": (dict[str, Inner], fixed({"a": Inner(1)})),
    "dict-untyped": (dict, fixed({"a": 1, "b": [1, 2.5, "c", None, True], "c": {"d": {}}})),
    "dict-untyped-empty": (dict, fixed({})),
    "dict-int-keys": (dict[int, str], fixed({1: "a", 2: "b"})),
    "dict-int-dataclass": (dict[int, Inner], fixed({1: Inner(5)})),
    "dict-of-untyped": (dict[str, dict], fixed({"a": {"b": 1}})),
    "enum": (Colour, fixed(Colour.BLUE)),
    "enum-str": (Mode, fixed(Mode.SLOW)),
    "enum-by-text": (Colour, fixed("red")),
    "literal-str": (Literal["a", "b"], fixed("a")),
    "literal-int": (Literal[1, 2], fixed(2)),
    "optional-int": (Optional[int], fixed(3)),
    "optional-none": (Optional[int], fixed(None)),
    "optional-list": (Optional[list[int]], fixed([1])),
    "optional-dict": (Optional[dict[str, str]], fixed({"a": "b"})),
    "optional-dataclass": (Optional[Inner], fixed(INNER)),
    "optional-enum": (Optional[Colour], fixed(Colour.RED)),
    "optional-new-syntax": (int | None, fixed(4)),
    "union-int": (Union[int, str], fixed(3)),
    "union-str": (Union[int, str], fixed("a")),
    "union-three": (Union[int, list[str], None], fixed(["a"])),
    "union-new-syntax": (int | str | float, fixed(2.5)),
    "union-str-enum": (Union[str, Colour], fixed("red")),
    "union-dict": (Union[dict[str, int], int], fixed({"a": 1})),
    "union-datetime": (Union[datetime, timedelta], fixed(timedelta(seconds=5))),
    "dataclass": (Point, fixed(Point(1, 2.0, "p"))),
    "dataclass-defaults": (Inner, fixed(Inner(0))),
    "dataclass-empty": (Empty, fixed(Empty())),
    "dataclass-many": (
        Many,
        fixed(
            Many(
                flag=True,
                when=NOON,
                day=date(2020, 1, 2),
                span=timedelta(hours=1),
                colour=Colour.RED,
                inner=INNER,
                inners=[Inner(2)],
                by_name={"n": Inner(3)},
                by_number={1: "one"},
                maybe=5,
                other="text",
                tags=["t"],
                nested=[[1], [2, 3]],
            )
        ),
    ),
    "dataclass-many-none": (
        Many,
        fixed(
            Many(False, NOON, date(2020, 1, 2), timedelta(microseconds=7), Colour.BLUE, INNER, [], {}, {}, None, 3, [])
        ),
    ),
    "dataclass-json-mixin": (WithJson, fixed(WithJson(1, [1.0, 2.5]))),
    "dataclass-with-tuple": (Node, fixed(Node(1, (1, 2)))),
    "dataclass-with-files": (
        HasFile,
        lambda folder: HasFile(
            FlyteFile("s3://bucket/a.txt"), FlyteDirectory("s3://bucket/b"), [FlyteFile("s3://bucket/c")]
        ),
    ),
    "pydantic": (Setting, fixed(Setting(rate=0.5, tags=["x"]))),
    "pydantic-nested": (Setting, fixed(Setting(rate=1, inner=Sub(n=3, when=NOON), colour=Colour.BLUE))),
    "pydantic-file": (ModelWithFile, lambda folder: ModelWithFile(file=FlyteFile("s3://bucket/a.txt"))),
    "list-pydantic": (list[Sub], fixed([Sub(n=1), Sub(n=2)])),
    "optional-pydantic": (Optional[Sub], fixed(Sub(n=1))),
    "file-remote": (FlyteFile, lambda folder: FlyteFile("s3://bucket/a.txt")),
    "file-remote-text": (FlyteFile, fixed("s3://bucket/a.txt")),
    "file-format": (FlyteFile["csv"], lambda folder: FlyteFile["csv"](a_file(folder), remote_path=False)),
    "file-named-type": (CSVFile, lambda folder: CSVFile("s3://bucket/a.csv")),
    "file-local": (FlyteFile, lambda folder: FlyteFile(a_file(folder))),
    "file-with-metadata": (FlyteFile, lambda folder: FlyteFile("s3://bucket/a.txt", metadata={"k": "v"})),
    "file-http": (FlyteFile, lambda folder: FlyteFile("https://example.org/x")),
    "file-jpeg": (JPEGImageFile, lambda folder: JPEGImageFile("s3://bucket/a.jpeg")),
    "file-pickle": (PythonPickledFile, lambda folder: PythonPickledFile("s3://bucket/a")),
    "list-file": (list[FlyteFile], lambda folder: [FlyteFile("s3://bucket/a"), FlyteFile("s3://bucket/b")]),
    "optional-file": (Optional[FlyteFile], lambda folder: FlyteFile("s3://bucket/a")),
    "directory-remote": (FlyteDirectory, lambda folder: FlyteDirectory("s3://bucket/many")),
    "directory-local": (FlyteDirectory, lambda folder: FlyteDirectory(a_folder(folder))),
    "directory-format": (FlyteDirectory["csv"], lambda folder: FlyteDirectory["csv"]("s3://bucket/many")),
    "hash-method": (Annotated[int, HashMethod(str)], fixed(17)),
    "annotated": (Annotated[int, FlyteAnnotation({"unit": "m", "deep": {"a": [1, "b"]}})], fixed(3)),
    "annotated-list": (list[Annotated[int, FlyteAnnotation({"unit": "m"})]], fixed([3])),
    "dataset-uri": (
        StructuredDataset,
        lambda folder: StructuredDataset(uri="s3://bucket/table", file_format="parquet"),
    ),
    "dataset-columns": (
        Annotated[StructuredDataset, kwtypes(name=str, age=int)],
        lambda folder: StructuredDataset(uri="s3://bucket/table", file_format="parquet"),
    ),
    "dataset-bigquery": (
        Annotated[StructuredDataset, "bigquery"],
        lambda folder: StructuredDataset(uri="bq://project:set.table", file_format="bigquery"),
    ),
    "error": (FlyteError, fixed(FlyteError(message="m", failed_node_id="n0"))),
    "protobuf": (ContainerError, fixed(ContainerError(code="c", message="m"))),
}

TYPES_ONLY: dict[str, Any] = {
    "bytes": bytes,
    "any": Any,
    "set": set,
    "decimal": Decimal,
    "plain-class": Plain,
    "list-of-plain": list[Plain],
    "path": Path,
    "ndarray": np.ndarray,
    "dataframe": pd.DataFrame,
    "dataframe-columns": Annotated[pd.DataFrame, kwtypes(a=int, b=str, c=list[float])],
    "dataframe-csv": Annotated[pd.DataFrame, "csv"],
    "dataframe-columns-csv": Annotated[pd.DataFrame, kwtypes(a=int), "csv"],
    "dataframe-ordered": Annotated[pd.DataFrame, collections.OrderedDict(a=int)],
    "arrow-table": pa.Table,
    "dataframe-arrow-schema": Annotated[pd.DataFrame, pa.schema([("a", pa.int64())])],
    "schema": FlyteSchema,
    "schema-columns": FlyteSchema[kwtypes(a=int, b=float, c=str, d=bool, e=datetime, f=timedelta)],
    "has-files": HasFile,
    "optional-dataframe": Optional[pd.DataFrame],
    "directory": FlyteDirectory,
    "list-dataframe": list[pd.DataFrame],
    "dict-dataframe": dict[str, pd.DataFrame],
}
