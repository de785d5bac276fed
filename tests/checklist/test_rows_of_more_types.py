"""Types that some users have: models, arrays, tables, files inside of structures, rare ones."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TextIO

import numpy as np
import pandas as pd
import PIL.Image
import polars as pl
import pyarrow as pa
import pytest
from flyteidl.core.errors_pb2 import ContainerError
from flyteidl.core.types_pb2 import SimpleType
from pydantic import BaseModel
from sklearn.linear_model import LinearRegression

from flyte_kit import FlyteDirectory, FlyteFile, StructuredDataset, kwtypes
from flyte_kit.extend import TypeEngine
from flyte_kit.types.iterator import JSON
from flyte_kit.types.schema import FlyteSchema
from round_trip import passed


class Part(BaseModel):
    n: int
    at: datetime | None = None


class Model(BaseModel):
    rate: float
    parts: list[Part] = []


@dataclass
class WithFiles:
    file: FlyteFile
    more: list[FlyteFile] = field(default_factory=list)
    folder: FlyteDirectory | None = None


Columns: Any = FlyteSchema[kwtypes(a=int, b=str)]


def test_072_a_pydantic_model_is_msgpack_with_its_schema() -> None:
    value = Model(rate=0.5, parts=[Part(n=1)])
    found = passed(Model, value)
    assert found.value == value
    assert found.literal.scalar.binary.tag == "msgpack"
    assert found.type.metadata["title"] == "Model"


def test_073_arrays_and_estimators_a_come_back_equal() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    found = passed(np.ndarray, array)
    assert np.array_equal(found.value, array)
    assert found.literal.scalar.blob.metadata.type.format == "NumpyArray"
    fitted = LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0])
    assert passed(LinearRegression, fitted).value.predict([[3.0]]) == pytest.approx([6.0])


def test_073_arrays_b_go_between_remote_tasks(up: Any, program: Callable[[str], Any]) -> None:
    assert up.value(program("rows_of_values").arrays, n=5) == 10


def test_074_a_table_of_one_library_a_is_read_with_another() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert passed(pd.DataFrame, frame, read_as=pa.Table).value.num_rows == 2
    assert passed(pa.Table, pa.Table.from_pandas(frame), read_as=pl.DataFrame).value.rows() == [(1, "x"), (2, "y")]
    assert passed(pl.DataFrame, pl.DataFrame(frame.to_dict("list")), read_as=pd.DataFrame).value.equals(frame)


def test_074_a_table_of_one_library_b_is_read_with_another_in_a_remote_task(
    up: Any, program: Callable[[str], Any]
) -> None:
    assert up.run(program("rows_of_values").tables, inputs={"rows": 4}).outputs.get("o1") == 4


@pytest.mark.xfail(strict=True, reason="tables of Spark are not read or written yet")
def test_074_a_table_of_one_library_c_may_be_that_of_spark() -> None:
    from pyspark.sql import DataFrame

    assert TypeEngine.to_literal_type(DataFrame).HasField("structured_dataset_type")


def test_075_columns_and_format_of_a_table_stand_in_its_type_and_csv_is_written(tmp_path: Path) -> None:
    kind = Annotated[StructuredDataset, kwtypes(a=int, b=str), "csv"]
    found = passed(kind, StructuredDataset(dataframe=pd.DataFrame({"a": [1], "b": ["x"]})))
    assert [column.name for column in found.type.structured_dataset_type.columns] == ["a", "b"]
    assert found.type.structured_dataset_type.format == "csv"
    written = [
        each.read_text() for each in Path(found.literal.scalar.structured_dataset.uri).rglob("*") if each.is_file()
    ]
    assert written == ["a,b\n1,x\n"]


def test_076_files_inside_of_structures_and_lists_are_uploaded(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one", "two")]
    for path in paths:
        path.write_text(path.name)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "three").write_text("three")
    value = WithFiles(FlyteFile(str(paths[0])), [FlyteFile(str(paths[1]))], FlyteDirectory(str(tmp_path / "folder")))
    back = passed(WithFiles, value).value
    for path in paths:
        path.unlink()
    assert Path(back.file).read_text() == "one"
    assert [Path(each).read_text() for each in back.more] == ["two"]
    assert (Path(back.folder) / "three").read_text() == "three"
    paths[0].write_text("again")
    [listed] = passed(list[FlyteFile], [FlyteFile(str(paths[0]))]).value
    assert Path(listed).read_text() == "again"


def test_077_a_structure_of_a_registered_workflow_is_given_as_a_dict(up: Any, program: Callable[[str], Any]) -> None:
    registered = up.remote.register_script(program("rows_of_values").sized)
    fetched = up.remote.fetch_workflow(name=registered.id.name, version=registered.id.version)
    execution = up.run(fetched, inputs={"size": {"width": 4, "label": "dict", "parts": []}})
    assert execution.outputs.get("o0") == "4 dict []"
    guessed = TypeEngine.guess_python_type(fetched.interface.inputs.variables["size"].type)
    assert guessed(width=1).width == 1


def test_078_a_large_output_lies_beside_the_others_and_the_next_task_reads_it(
    up: Any, program: Callable[[str], Any]
) -> None:
    execution = up.run(
        program("rows_of_values").large_between,
        inputs={"megabytes": 20},
        envs={"_F_L_MIN_SIZE_MB": "1", "_F_L_MAX_SIZE_MB": "100"},
    )
    assert execution.is_successful, execution.error
    assert execution.outputs.get("o0") == 20 * 1024 * 1024
    output = execution.node_executions["n0"].outputs.get_literal("o0")
    assert output.offloaded_metadata.size_bytes > 20 * 1024 * 1024


def test_079_rare_types_come_back_as_they_were(tmp_path: Path) -> None:
    assert passed(Literal["a", "b"], "b").value == "b"
    assert passed(date, date(2024, 2, 29)).value == date(2024, 2, 29)
    assert [*passed(Iterator[int], iter([1, 2])).value] == [1, 2]
    lines = passed(typing.Iterator[JSON], iter([{"a": 1}, {"a": 2}]))
    assert [*lines.value] == [{"a": 1}, {"a": 2}]
    assert lines.literal.scalar.blob.metadata.type.format == "jsonl"
    image = passed(PIL.Image.Image, PIL.Image.new("RGB", (2, 3), "red")).value
    assert (image.size, image.getpixel((0, 0))) == ((2, 3), (255, 0, 0))
    (tmp_path / "text").write_text("hello")
    file = FlyteFile(str(tmp_path / "text"))
    assert passed(FlyteFile, file, read_as=TextIO).value.read() == "hello"
    assert passed(FlyteFile, file, read_as=BinaryIO).value.read() == b"hello"


def test_080_messages_a_and_schemas_come_back_as_they_were() -> None:
    message = ContainerError(code="c", message="m")
    found = passed(ContainerError, message)
    assert found.value == message
    assert found.literal.scalar.HasField("generic")
    made = Columns()
    made.open().write(pd.DataFrame({"a": [1], "b": ["x"]}))
    assert [*passed(Columns, made).value.open().all()["b"]] == ["x"]


@pytest.mark.xfail(strict=True, reason="models of TensorFlow and ONNX have no form of their own yet")
def test_080_messages_b_and_models_of_tensorflow_have_a_form_of_their_own() -> None:
    from tensorflow import keras

    assert TypeEngine.to_literal_type(keras.Model).blob.format == "TensorFlowModel"


def test_081_structures_are_written_in_the_old_form_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_USE_OLD_DC_FORMAT", "true")
    found = passed(Model, Model(rate=0.5, parts=[Part(n=3)]))
    assert found.literal.scalar.HasField("generic")
    assert found.value.parts == [Part(n=3)]
    assert passed(dict, {"a": 1}).literal.scalar.HasField("generic")
    assert found.type.simple == SimpleType.STRUCT


@pytest.mark.parametrize(
    ("form", "uri"), [("bigquery", "bq://project:set.table"), ("snowflake", "snowflake://u:a/w/d/s/t")]
)
def test_082_the_address_of_a_table_elsewhere_is_left_as_it_is(form: str, uri: str) -> None:
    kind = Annotated[StructuredDataset, form]
    literal = passed(kind, StructuredDataset(uri=uri, file_format=form)).literal
    assert literal.scalar.structured_dataset.uri == uri
