"""Types that every user has: on the wire as they must be, and back as they were."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Optional, Union

import msgpack
import pandas as pd
import pytest
from flyteidl.admin.execution_pb2 import ExecutionMetadata, ExecutionSpec
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.types_pb2 import BlobType, SimpleType

from flyte_kit import FlyteDirectory, FlyteFile, StructuredDataset, kwtypes, task
from flyte_kit.extend import TypeEngine
from round_trip import passed


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Inner:
    n: int
    maybe: str | None = None


@dataclass
class Outer:
    inner: Inner
    many: dict[str, list[Inner]] = field(default_factory=dict)
    factor: float = 1.5


class NotAnnotated:
    def __init__(self, n: int) -> None:
        self.n = n


MaybeInt: Any = Optional[int]  # noqa: UP045 - as users write it
INDIA = timezone(timedelta(hours=5, minutes=30))
SIMPLE: dict[str, tuple[Any, Any]] = {
    "largest": (int, 2**63 - 1),
    "smallest": (int, -(2**63)),
    "float": (float, 5e-324),
    "no": (bool, False),
    "text": (str, "naïve 日本\n"),
    "time": (datetime, datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=UTC)),
    "time of a zone": (datetime, datetime(2024, 2, 29, 1, 2, tzinfo=INDIA)),
    "duration": (timedelta, timedelta(days=-1, microseconds=7)),
    "nothing": (type(None), None),
}


@pytest.mark.parametrize("case", SIMPLE)
def test_061_simple_values_come_back_as_they_were(case: str) -> None:
    python_type, value = SIMPLE[case]
    assert passed(python_type, value).value == value


def test_061_integers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Exception, match=r"9223372036854775808|range"):
        passed(int, 2**63)


def test_062_lists_and_maps_may_lie_in_each_other() -> None:
    value = {"a": [{"x": [1, 2], "y": []}], "b": []}
    found = passed(dict[str, list[dict[str, list[int]]]], value)
    assert found.value == value
    assert found.literal.map.literals["a"].collection.literals[0].map.literals["x"].collection.literals


def test_063_a_dataclass_is_msgpack_with_the_types_of_its_fields() -> None:
    value = Outer(Inner(1), {"k": [Inner(2, "two")]})
    found = passed(Outer, value)
    assert found.value == value
    assert found.literal.scalar.binary.tag == "msgpack"
    assert msgpack.unpackb(found.literal.scalar.binary.value)["inner"] == {"n": 1, "maybe": None}
    assert found.type.simple == SimpleType.STRUCT
    assert set(found.type.structure.dataclass_type) == {"inner", "many", "factor"}
    assert passed(dict, {"inner": {"n": 5}}, read_as=Outer).value == Outer(Inner(5))


def test_064_an_untyped_dict_keeps_whole_numbers_whole() -> None:
    value = {"i": 1, "f": 1.0, "mixed": [1, "a", None, True], "deep": {"n": 2**53 + 1}}
    back = passed(dict, value).value
    assert back == value
    assert (type(back["i"]), type(back["f"])) == (int, float)


def test_065_a_union_says_which_of_its_types_a_value_has() -> None:
    found = passed(Union[int, str], "text")  # noqa: UP007 - as users write it
    assert found.value == "text"
    assert found.literal.scalar.union.type.structure.tag == "str"
    empty = passed(MaybeInt, None)
    assert empty.value is None
    assert empty.literal.scalar.union.value.scalar.HasField("none_type")


def test_066_an_enum_is_its_value_a_and_others_are_refused() -> None:
    found = passed(Colour, Colour.BLUE)
    assert found.value is Colour.BLUE
    assert [*found.type.enum_type.values] == ["red", "blue"]
    with pytest.raises(Exception, match="green"):
        passed(Colour, "green")


def test_066_an_enum_is_its_value_b_and_the_command_refuses_others(up: Any) -> None:
    refused = up.flyte("run", "rows_of_values.py", "coloured", "--colour", "green", code=2)
    assert "red" in refused
    assert "blue" in up.flyte("run", "rows_of_values.py", "coloured", "--colour", "blue")


def test_067_a_file_is_uploaded_fetched_when_it_is_opened_and_has_a_format(tmp_path: Path, up: Any) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    found = passed(FlyteFile["csv"], FlyteFile["csv"](str(tmp_path / "a.csv")))
    assert found.literal.scalar.blob.metadata.type.format == "csv"
    assert found.literal.scalar.blob.uri != str(tmp_path / "a.csv")
    with open(found.value) as file:
        assert file.read() == "a,b\n"
    kept = passed(FlyteFile, FlyteFile(str(tmp_path / "a.csv"), remote_path=False))
    assert kept.literal.scalar.blob.uri == str(tmp_path / "a.csv")


def test_068_a_folder_is_uploaded_and_listed_without_fetching_it(tmp_path: Path) -> None:
    (tmp_path / "many" / "deep").mkdir(parents=True)
    (tmp_path / "many" / "one.txt").write_text("1")
    (tmp_path / "many" / "deep" / "two.txt").write_text("22")
    found = passed(FlyteDirectory, FlyteDirectory(str(tmp_path / "many")))
    assert found.literal.scalar.blob.metadata.type.dimensionality == BlobType.MULTIPART
    remote = FlyteDirectory(found.literal.scalar.blob.uri)
    assert len(FlyteDirectory.listdir(remote)) == 2
    assert sorted(os.listdir(found.value)) == ["deep", "one.txt"]
    assert (Path(found.value) / "deep" / "two.txt").read_text() == "22"


def test_068_a_folder_and_a_file_go_between_remote_tasks(up: Any, program: Callable[[str], Any]) -> None:
    execution = up.run(program("rows_of_workflows").files, inputs={"n": 3})
    assert execution.outputs.get("o0") == "one file"
    assert execution.outputs.get("o1") == ["part0.txt", "part1.txt", "part2.txt"]


def test_069_a_table_is_parquet_and_only_the_columns_that_are_asked_for_are_read(
    up: Any, program: Callable[[str], Any]
) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    found = passed(pd.DataFrame, frame, read_as=Annotated[pd.DataFrame, kwtypes(b=str)])
    assert found.literal.scalar.structured_dataset.metadata.structured_dataset_type.format == "parquet"
    assert [*found.value.columns] == ["b"]
    as_dataset = passed(pd.DataFrame, frame, read_as=StructuredDataset).value
    assert as_dataset.open(pd.DataFrame).all().equals(frame)
    execution = up.run(program("rows_of_values").tables, inputs={"rows": 4})
    assert execution.outputs.get("o0") == ["a", "c"]


def test_070_a_class_that_nobody_knows_is_pickled() -> None:
    found = passed(NotAnnotated, NotAnnotated(5))
    assert found.value.n == 5
    assert found.type.blob.format == "PythonPickle"

    @task(pickle_untyped=True)
    def untyped(x):  # type: ignore[no-untyped-def]
        return x.n

    assert untyped(x=NotAnnotated(7)) == 7


def test_071_a_dataclass_is_read_from_the_json_of_a_form(up: Any, program: Callable[[str], Any]) -> None:
    values = program("rows_of_values")
    plan = up.remote.fetch_launch_plan(
        name="rows_of_values.sized", version=up.remote.register_script(values.sized).id.version
    )
    inputs = LiteralMap()
    inputs.literals["size"].scalar.generic.update({"width": 3, "label": "form", "parts": [1, 2.5]})
    spec = ExecutionSpec(launch_plan=plan.id, metadata=ExecutionMetadata())
    started = up.remote.create_execution(spec, inputs, project="flytesnacks", domain="development", name="from-a-form")
    ended = up.remote.wait(started, timeout=30)
    assert ended.is_successful, ended.error
    assert ended.outputs.get("o0") == "3 form [1.0, 2.5]"
    assert TypeEngine.to_literal_type(values.Size).simple == SimpleType.STRUCT
