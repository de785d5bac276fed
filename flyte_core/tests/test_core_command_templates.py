"""Templates in commands are filled as upstream fills them, and never more than once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, TaskExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal, LiteralCollection, LiteralMap, Primitive, Scalar, Schema, Union, Void
from flyteidl.core.tasks_pb2 import Container, K8sPod, TaskTemplate
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from flyte_core.command_templates import fill, wants_inputs, wants_task_template
from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext, TaskPaths


def text(value: str) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(string_value=value)))


def context(**literals: Literal) -> TaskContext:
    return TaskContext(
        id=TaskExecutionIdentifier(node_execution_id=NodeExecutionIdentifier(node_id="n0"), retry_attempt=0),
        template=TaskTemplate(),
        generated_name="9ex-n0-0",
        namespace="p-d",
        workflow_id="p:d:w",
        paths=TaskPaths("s3://b/n0/data/inputs.pb", "s3://b/n0/data/0", "s3://b/raw/x", "s3://b/raw/x/_cp"),
        owner={},
        inputs=LiteralMap(literals=literals),
    )


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("{{.input}}", "s3://b/n0/data/inputs.pb"),
        ("{{ .InputPrefix }}", "s3://b/n0/data"),
        ("{{$OUTPUTPREFIX}}", "s3://b/n0/data/0"),
        ("--to={{.rawOutputDataPrefix}}/x", "--to=s3://b/raw/x/x"),
        ("{{.checkpointOutputPrefix}}", "s3://b/raw/x/_cp"),
        ("{{.prevCheckpointPrefix}}", '""'),
        ("{{.taskTemplatePath}}", "s3://b/n0/data/0/task.pb"),
        ("{{.perRetryUniqueKey}}", "aex_n0_0"),
        ("{{.namespace}} {{.input}}", "p-d s3://b/n0/data/inputs.pb"),
        ("{{.Values.mine}}", "{{.Values.mine}}"),
        ("{ {.input}}", "{ {.input}}"),
        ("", ""),
    ],
)
def test_a_template_is_filled(word: str, filled: str) -> None:
    assert fill([word], context()) == [filled]


def test_a_later_attempt_gets_the_checkpoint_of_the_one_before() -> None:
    ctx = context()
    ctx = replace(ctx, paths=replace(ctx.paths, previous_checkpoint_prefix="s3://b/raw/w/_cp"))
    assert fill(["{{.prevCheckpointPrefix}}"], ctx) == ["s3://b/raw/w/_cp"]


@pytest.mark.parametrize(
    ("literal", "filled"),
    [
        (Literal(scalar=Scalar(primitive=Primitive(integer=-3))), "-3"),
        (Literal(scalar=Scalar(primitive=Primitive(float_value=3.0))), "3"),
        (Literal(scalar=Scalar(primitive=Primitive(float_value=0.1234567890123))), "0.1234567890123"),
        (Literal(scalar=Scalar(primitive=Primitive(boolean=True))), "true"),
        (Literal(scalar=Scalar(primitive=Primitive(datetime=Timestamp(seconds=1)))), "1970-01-01T00:00:01Z"),
        (Literal(scalar=Scalar(primitive=Primitive(datetime=Timestamp(nanos=5 * 10**8)))), "1970-01-01T00:00:00.5Z"),
        (Literal(scalar=Scalar(primitive=Primitive(duration=Duration(seconds=90)))), "90s"),
        (Literal(scalar=Scalar(schema=Schema(uri="s3://b/s"))), "s3://b/s"),
        (Literal(scalar=Scalar(union=Union(value=text("u")))), "u"),
        (Literal(scalar=Scalar(none_type=Void())), ""),
        (Literal(collection=LiteralCollection(literals=[text("a"), text("b")])), "[a,b]"),
    ],
)
def test_an_input_is_filled_in_as_text(literal: Literal, filled: str) -> None:
    assert fill(["{{.inputs.x}}", "{{ .Inputs.x }}"], context(x=literal)) == [filled, filled]


@pytest.mark.parametrize(
    "value", ["$(rm -rf ~)", "a b", "'", '"', "a\nb", "{{.rawOutputDataPrefix}}", "{{.inputs.y}}", r"\g<0>\1", "", "{{"]
)
def test_an_inputs_value_is_neither_read_as_a_template_nor_split(value: str) -> None:
    assert fill(["-c", "{{.inputs.x}}"], context(x=text(value), y=text("secret"))) == ["-c", value]


@given(st.lists(st.text(alphabet="{}.$ inputsxy\\"), max_size=4), st.text())
def test_as_many_words_come_out_as_went_in(words: list[str], value: str) -> None:
    try:
        assert len(fill(words, context(x=text(value)))) == len(words)
    except InvalidInput as error:
        assert "the command asks for input" in str(error)  # noqa: PT017


def test_an_input_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"input 'z'; there are: x, y"):
        fill(["{{.inputs.z}}"], context(x=text("1"), y=text("2")))


def test_an_input_without_a_text_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"input 'x' is a generic"):
        fill(["{{.inputs.x}}"], context(x=Literal(scalar=Scalar(generic=Struct()))))


def test_what_a_template_asks_for_is_found_in_containers_and_pods() -> None:
    pod = Struct()
    pod.update({"containers": [{"name": "a", "args": ["x", "{{ .TaskTemplatePath }}"]}]})
    assert wants_task_template(TaskTemplate(k8s_pod=K8sPod(pod_spec=pod)))
    assert wants_task_template(TaskTemplate(container=Container(args=["{{.taskTemplatePath}}"])))
    assert not wants_task_template(TaskTemplate(container=Container(args=["{{.input}}"])))
    assert wants_inputs(TaskTemplate(container=Container(args=["{{.Inputs.x}}"])))
    assert not wants_inputs(TaskTemplate(container=Container(args=["{{.inputPrefix}}"])))
