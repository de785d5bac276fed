"""Values of Python as literals and back."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import os
import typing
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, Optional, Union

import msgpack
import pytest
from flyteidl.core.literals_pb2 import Binary, Literal, Scalar
from flyteidl.core.types_pb2 import LiteralType, SimpleType, TypeStructure
from pydantic import BaseModel

from flyte_kit import FlyteContextManager, FlyteDirectory, FlyteFile, HashMethod, StructuredDataset, task
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformerFailedError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Inner:
    n: int
    when: datetime.datetime | None = None


@dataclass
class Outer:
    name: str
    inner: Inner
    many: list[Inner] = field(default_factory=list)
    by_key: dict[str, float] = field(default_factory=dict)
    colour: Colour = Colour.RED


class Pair(NamedTuple):
    left: int
    right: str


class Model(BaseModel):
    a: int
    b: list[str] = []


UTC = datetime.UTC
ROUND_TRIPS: list[tuple[Any, Any]] = [
    (int, 3),
    (float, 2.5),
    (str, "text"),
    (bool, True),
    (datetime.datetime, datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)),
    (datetime.timedelta, datetime.timedelta(days=1, seconds=3, microseconds=5)),
    (datetime.date, datetime.date(2024, 5, 6)),
    (type(None), None),
    (Colour, Colour.BLUE),
    (list[int], [1, 2, 3]),
    (list[list[str]], [["a"], []]),
    (dict[str, int], {"a": 1}),
    (dict, {"a": [1, {"b": None}]}),
    (Optional[int], None),  # noqa: UP045 - as users write it
    (int | None, 4),
    (Union[int, str, list[int]], [4]),  # noqa: UP007 - as users write it
    (Outer, Outer("x", Inner(1), [Inner(2, datetime.datetime(2024, 1, 1, tzinfo=UTC))], {"k": 1.0}, Colour.BLUE)),
    (Model, Model(a=1, b=["x"])),
    (list[Model], [Model(a=1)]),
    (Annotated[int, "note"], 5),
]


@pytest.mark.parametrize(("kind", "value"), ROUND_TRIPS, ids=[str(kind) for kind, _ in ROUND_TRIPS])
def test_a_value_comes_back_from_its_literal_as_it_was(kind: Any, value: Any) -> None:
    ctx = FlyteContextManager.current_context()
    literal = TypeEngine.to_literal(ctx, value, kind, TypeEngine.to_literal_type(kind))
    again = Literal.FromString(literal.SerializeToString(deterministic=True))
    assert TypeEngine.to_python_value(ctx, again, kind) == value


def test_a_dataclass_is_msgpack_with_its_json_schema_as_metadata() -> None:
    ctx = FlyteContextManager.current_context()
    expected = TypeEngine.to_literal_type(Outer)
    assert expected.simple == SimpleType.STRUCT
    assert expected.metadata["title"] == "Outer"
    assert set(expected.metadata["properties"]) == {each.name for each in dataclasses.fields(Outer)}
    literal = TypeEngine.to_literal(ctx, Outer("x", Inner(1)), Outer, expected)
    assert literal.scalar.binary.tag == "msgpack"
    assert msgpack.unpackb(literal.scalar.binary.value)["inner"] == {"n": 1, "when": None}


def test_a_union_carries_the_tag_and_type_of_the_variant_that_fits() -> None:
    ctx = FlyteContextManager.current_context()
    expected = TypeEngine.to_literal_type(Union[int, str])  # noqa: UP007 - as users write it
    assert [variant.structure.tag for variant in expected.union_type.variants] == ["int", "str"]
    literal = TypeEngine.to_literal(ctx, "x", Union[int, str], expected)  # noqa: UP007 - as users write it
    assert literal.scalar.union.type.structure == TypeStructure(tag="str")


def test_a_value_that_fits_no_variant_is_refused_with_the_variants_named() -> None:
    ctx = FlyteContextManager.current_context()
    expected = TypeEngine.to_literal_type(int | str)
    with pytest.raises(TypeTransformerFailedError, match="int"):
        TypeEngine.to_literal(ctx, [1], int | str, expected)


def test_an_unknown_class_is_pickled() -> None:
    expected = TypeEngine.to_literal_type(typing.Pattern[str])
    assert expected.blob.format == "PythonPickle"


def test_a_hash_method_puts_a_hash_on_the_literal() -> None:
    ctx = FlyteContextManager.current_context()
    kind = Annotated[str, HashMethod(lambda text: text[:1])]
    literal = TypeEngine.to_literal(ctx, "abc", kind, TypeEngine.to_literal_type(kind))
    assert literal.hash == "a"


def test_a_file_is_not_fetched_before_it_is_opened(tmp_path: Any) -> None:
    ctx = FlyteContextManager.current_context()
    source = tmp_path / "data.csv"
    source.write_text("a,b")
    kind = FlyteFile["csv"]
    literal = TypeEngine.to_literal(ctx, FlyteFile(str(source)), kind, TypeEngine.to_literal_type(kind))
    assert literal.scalar.blob.metadata.type.format == "csv"
    file = TypeEngine.to_python_value(ctx, literal, kind)
    assert open(file).read() == "a,b"  # noqa: SIM115 - that it can be passed to open is the point


def test_a_directory_lists_what_is_in_it(tmp_path: Any) -> None:
    ctx = FlyteContextManager.current_context()
    (tmp_path / "one.txt").write_text("1")
    literal = TypeEngine.to_literal(ctx, str(tmp_path), FlyteDirectory, TypeEngine.to_literal_type(FlyteDirectory))
    folder = TypeEngine.to_python_value(ctx, literal, FlyteDirectory)
    assert [os.path.basename(each) for each in folder.listdir(folder)] == ["one.txt"]
    assert (folder / "one.txt").read_text() == "1"


def test_a_data_frame_is_parquet_and_its_columns_are_on_the_type() -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    ctx = FlyteContextManager.current_context()
    kind = Annotated[pandas.DataFrame, {"a": int, "b": str}]
    expected = TypeEngine.to_literal_type(kind)
    assert [column.name for column in expected.structured_dataset_type.columns] == ["a", "b"]
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.0, 1.0]})
    literal = TypeEngine.to_literal(ctx, frame, kind, expected)
    assert TypeEngine.to_python_value(ctx, literal, pandas.DataFrame).columns.tolist() == ["a", "b"]
    table = TypeEngine.to_python_value(ctx, literal, StructuredDataset)
    assert table.open(pandas.DataFrame).all().equals(frame[["a", "b"]])


def test_a_structure_can_be_read_into_a_class_with_more_fields() -> None:
    ctx = FlyteContextManager.current_context()
    binary = Binary(value=msgpack.packb({"n": 4}), tag="msgpack")
    literal = Literal(scalar=Scalar(binary=binary))
    assert TypeEngine.to_python_value(ctx, literal, Inner) == Inner(4)


def test_a_type_unknown_to_a_client_is_guessed_from_the_wire() -> None:
    guessed = TypeEngine.guess_python_type(TypeEngine.to_literal_type(Inner))
    made = guessed(n=3)
    assert (type(made).__name__, made.n, made.when) == ("Inner", 3, None)
    assert TypeEngine.guess_python_type(LiteralType(simple=SimpleType.INTEGER)) is int


def test_a_named_tuple_names_the_outputs() -> None:
    @task
    def pair() -> Pair:
        return Pair(1, "x")

    assert list(pair.python_interface.outputs) == ["left", "right"]
    assert pair() == Pair(1, "x")


def test_a_bare_tuple_as_an_input_is_refused() -> None:
    with pytest.raises(Exception, match=r"(?i)tuple"):

        @task
        def wrong(a: tuple[int, str]) -> int:
            return 1


def test_many_elements_are_converted_without_a_check_for_each() -> None:
    ctx = FlyteContextManager.current_context()
    values = list(range(10_000))
    literal = TypeEngine.to_literal(ctx, values, list[int], TypeEngine.to_literal_type(list[int]))
    assert TypeEngine.to_python_value(ctx, literal, list[int]) == values
