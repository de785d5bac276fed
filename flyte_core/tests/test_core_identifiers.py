"""Derived names agree with recorded upstream data; given names are checked."""

import pytest
from flyteidl.admin.common_pb2 import NamedEntityIdentifier
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier

from flyte_core import paths
from flyte_core.errors import InvalidInput
from flyte_core.identifiers import (
    attempt_name,
    check_execution_name,
    check_identifier,
    child_execution_name,
    fixed_length_unique_id,
    label_value,
    raw_output_shard,
    shard_key,
    unique_node_id,
)


def test_short_parts_are_joined_without_leading_empties():
    assert fixed_length_unique_id(["", "", "a", "0", "b"], 20) == "a-0-b"
    assert fixed_length_unique_id(["a", "", "b"], 20) == "a--b"


def test_a_name_of_exactly_the_limit_is_kept():
    assert fixed_length_unique_id(["a" * 10, "b" * 9], 20) == "a" * 10 + "-" + "b" * 9
    assert len(fixed_length_unique_id(["a" * 10, "b" * 10], 20)) == 8


def test_a_limit_below_the_hashed_form_is_refused():
    with pytest.raises(ValueError, match="max_len 7"):
        fixed_length_unique_id(["a" * 30], 7)


def test_a_child_execution_has_upstreams_name():
    assert child_execution_name("gparentlpe04578df", "n0", 0) == "fhjyaqvzdhh6ao"


def test_a_child_execution_of_an_old_definition_has_the_short_hash():
    assert len(child_execution_name("gparentlpe04578df", "n0", 0, definition_version=0)) == 8


def test_node_ids_grow_with_their_parents_until_they_are_hashed():
    assert unique_node_id("", 0, "n0") == "n0"
    assert unique_node_id("n0", 0, "n0-n1") == "n0-0-n0-n1"
    deep = unique_node_id("n0-0-n0-n1-0-n0-n1", 2, "n3")
    assert len(deep) == 8
    assert deep.startswith("f")


@pytest.mark.parametrize(
    ("unique_id", "shard"),
    [
        ("gwithfailc35bc109-fn0-0", "0u"),
        ("gbranchf03f5fb1-n0-0-n0-n1-0", "23"),
        ("gsingle1bd8c3dc-n0-0", "2s"),
        ("ggates4339a037-n2-0", "90"),
        ("gparentsu6daed02b-n1-0", "az"),
        ("gparentma51a05e43-n0-0-n1-0", "zd"),
    ],
)
def test_raw_outputs_go_to_upstreams_shard(unique_id, shard):
    assert raw_output_shard(unique_id) == shard
    assert paths.raw_output_dir("s3://flyte/data/", unique_id) == f"s3://flyte/data/{shard}/{unique_id}"


@pytest.mark.parametrize(
    ("name", "key"), [("gparentlpe04578df", "25"), ("fhjyaqvzdhh6ao", "26"), ("gchaine958d715", "3")]
)
def test_shard_keys_are_upstreams(name, key):
    assert shard_key(name) == key


def test_attempts_are_named_by_execution_node_and_attempt():
    assert attempt_name("gchaine958d715", "n3", 0) == "gchaine958d715-n3-0"


def test_label_values_are_lower_case_dashes_and_short():
    assert label_value("golden_wf.Parent_lp") == "golden-wf-parent-lp"
    assert label_value("x" * 62 + "__") == "x" * 62


@pytest.mark.parametrize("name", ["a", "a1-b", "a" * 63])
def test_good_execution_names_pass(name):
    check_execution_name(name)


@pytest.mark.parametrize("name", ["", "1a", "-a", "A", "a_b", "a.b", "a\n", "a" * 64, "ä"])
def test_bad_execution_names_are_refused_by_name(name):
    with pytest.raises(InvalidInput, match="name") as caught:
        check_execution_name(name)
    assert caught.value.field == "name"


def test_every_part_of_an_identifier_is_checked():
    good = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="n", version="v")
    check_identifier(good, "id", resource_type=ResourceType.TASK)
    check_identifier(WorkflowExecutionIdentifier(project="p", domain="d", name="n"), "id")
    check_identifier(NamedEntityIdentifier(project="p", domain="d", name="n"), "id")
    for part in ("project", "domain", "name", "version"):
        bad = Identifier()
        bad.CopyFrom(good)
        bad.ClearField(part)
        with pytest.raises(InvalidInput, match=rf"missing id\.{part}") as caught:
            check_identifier(bad, "id")
        assert caught.value.field == f"id.{part}"


@pytest.mark.parametrize("version", ["v" * 256, "ä" * 128, "a\x00b", "a\nb"])
def test_long_and_unprintable_parts_are_refused(version):
    identifier = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="n", version=version)
    with pytest.raises(InvalidInput, match=r"id\.version"):
        check_identifier(identifier, "id")


def test_a_wrong_resource_type_is_refused():
    identifier = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="n", version="v")
    with pytest.raises(InvalidInput, match="TASK, expected WORKFLOW"):
        check_identifier(identifier, "id", resource_type=ResourceType.WORKFLOW)


def test_node_paths_nest_as_upstreams_do():
    execution = WorkflowExecutionIdentifier(project="golden", domain="development", name="e")
    root = paths.execution_data_dir("s3://flyte/metadata/propeller", execution)
    assert root == "s3://flyte/metadata/propeller/golden-development-e"
    node = paths.NodePaths.top(root, "n0")
    assert node.inputs == f"{root}/n0/data/inputs.pb"
    assert node.outputs(1) == f"{root}/n0/data/1/outputs.pb"
    child = node.child(0, "dn1")
    assert child.inputs == f"{root}/n0/data/0/dn1/inputs.pb"
    assert child.outputs(0) == f"{root}/n0/data/0/dn1/0/outputs.pb"
    assert node.child(0, "3").output_dir(0) == f"{root}/n0/data/0/3/0"
    assert paths.workflow_outputs(root) == f"{root}/end-node/data/0/outputs.pb"
