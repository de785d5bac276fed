"""Which types and values fit which types."""

import json

import pytest
from flyteidl.core.literals_pb2 import (
    Binary,
    Blob,
    BlobMetadata,
    Literal,
    LiteralCollection,
    LiteralMap,
    LiteralOffloadedMetadata,
    Primitive,
    Scalar,
    Union,
    Void,
)
from flyteidl.core.types_pb2 import (
    BlobType,
    EnumType,
    LiteralType,
    SchemaType,
    SimpleType,
    StructuredDatasetType,
    TypeStructure,
    UnionType,
)
from google.protobuf.json_format import Parse
from google.protobuf.struct_pb2 import Struct

from flyte_core.literals import is_castable, is_optional, literal_problem, type_text

INT, FLOAT, STR, NONE, STRUCT = (
    LiteralType(simple=number)
    for number in (SimpleType.INTEGER, SimpleType.FLOAT, SimpleType.STRING, SimpleType.NONE, SimpleType.STRUCT)
)


def listed(item):
    return LiteralType(collection_type=item)


def mapped(item):
    return LiteralType(map_value_type=item)


def union(*variants):
    return LiteralType(union_type=UnionType(variants=variants))


def enum(*values):
    return LiteralType(enum_type=EnumType(values=values))


def blob(blob_format="", dimensionality=BlobType.SINGLE):
    return LiteralType(blob=BlobType(format=blob_format, dimensionality=dimensionality))


def dataset(file_format="", **columns):
    described = [StructuredDatasetType.DatasetColumn(name=name, literal_type=kind) for name, kind in columns.items()]
    return LiteralType(structured_dataset_type=StructuredDatasetType(columns=described, format=file_format))


def schema(**columns):
    described = [SchemaType.SchemaColumn(name=name, type=kind) for name, kind in columns.items()]
    return LiteralType(schema=SchemaType(columns=described))


def tagged(literal_type, tag):
    copied = LiteralType()
    copied.CopyFrom(literal_type)
    copied.structure.CopyFrom(TypeStructure(tag=tag))
    return copied


def structured(properties, required):
    text = json.dumps({"type": "object", "title": str(properties), "properties": properties, "required": required})
    return LiteralType(simple=SimpleType.STRUCT, metadata=Parse(text, Struct()))


A_INT = structured({"a": {"type": "integer"}}, ["a"])
A_INT_B_STR = structured({"a": {"type": "integer"}, "b": {"type": "string"}}, ["a", "b"])
A_STR = structured({"a": {"type": "string"}}, ["a"])


@pytest.mark.parametrize(
    ("upstream", "downstream"),
    [
        (INT, INT),
        (listed(INT), listed(INT)),
        (listed(NONE), listed(STR)),
        (mapped(NONE), mapped(listed(STR))),
        (listed(listed(NONE)), listed(listed(INT))),
        (STR, enum("a", "b")),
        (enum("a", "b"), STR),
        (INT, union(INT, NONE)),
        (NONE, union(INT, NONE)),
        (union(INT, NONE), union(NONE, STR, INT)),
        (union(INT), INT),
        (tagged(INT, "int"), union(tagged(INT, "int"), tagged(STR, "str"))),
        (INT, tagged(INT, "int")),
        (blob("csv"), blob("")),
        (blob(""), blob("csv")),
        (blob("csv"), blob("csv")),
        (dataset(a=INT, b=STR), dataset(a=INT)),
        (dataset(a=INT), dataset()),
        (dataset("parquet", a=INT), schema(a=SchemaType.SchemaColumn.INTEGER)),
        (schema(a=SchemaType.SchemaColumn.INTEGER), dataset(a=INT)),
        (schema(), dataset(a=INT)),
        (dataset(), dataset(a=INT)),
        (schema(), schema(a=SchemaType.SchemaColumn.INTEGER)),
        (dataset("csv"), dataset("")),
        (STRUCT, A_INT),
        (A_INT_B_STR, A_INT),
        (A_INT, structured({"a": {"type": "number"}}, ["a"])),
    ],
    ids=lambda literal_type: type_text(literal_type),
)
def test_types_that_fit(upstream, downstream):
    assert is_castable(upstream, downstream)


@pytest.mark.parametrize(
    ("upstream", "downstream"),
    [
        (INT, FLOAT),
        (INT, STR),
        (INT, listed(INT)),
        (listed(INT), mapped(INT)),
        (NONE, INT),
        (enum("a"), enum("b")),
        (enum("a"), INT),
        (union(INT, NONE), INT),
        (union(INT, STR), union(INT, NONE)),
        (INT, union(INT, tagged(INT, "other"))),
        (tagged(INT, "x"), tagged(INT, "y")),
        (blob("csv"), blob("json")),
        (blob("csv"), blob("csv", BlobType.MULTIPART)),
        (blob("csv"), STR),
        (dataset(a=INT), dataset(b=INT)),
        (dataset(a=INT), dataset(a=STR)),
        (dataset("csv"), dataset("parquet")),
        (dataset("csv"), schema()),
        (A_INT, A_INT_B_STR),
        (A_INT, A_STR),
        (LiteralType(), INT),
        (INT, LiteralType()),
    ],
    ids=lambda literal_type: type_text(literal_type),
)
def test_types_that_do_not_fit(upstream, downstream):
    assert not is_castable(upstream, downstream)


def test_a_table_is_told_with_its_columns():
    assert type_text(dataset(a=INT, b=STR)) == "structured dataset(any format; columns a INTEGER, b STRING)"
    assert type_text(dataset("csv")) == "structured dataset(csv)"


def primitive(**value):
    return Literal(scalar=Scalar(primitive=Primitive(**value)))


ONE = primitive(integer=1)
WORD = primitive(string_value="red")
NOTHING = Literal(scalar=Scalar(none_type=Void()))


def literals(*items):
    return Literal(collection=LiteralCollection(literals=items))


@pytest.mark.parametrize(
    ("literal", "literal_type"),
    [
        (ONE, INT),
        (WORD, enum("red", "blue")),
        (literals(), listed(INT)),
        (literals(ONE, ONE), listed(INT)),
        (literals(ONE, WORD), listed(union(INT, STR))),
        (Literal(map=LiteralMap(literals={"k": ONE})), mapped(INT)),
        (ONE, union(INT, NONE)),
        (NOTHING, union(INT, NONE)),
        (NOTHING, NONE),
        (Literal(scalar=Scalar(union=Union(value=ONE, type=INT))), union(INT, NONE)),
        (Literal(scalar=Scalar(generic=Struct())), STRUCT),
        (Literal(scalar=Scalar(binary=Binary(value=b"\x80", tag="msgpack"))), A_INT),
        (Literal(scalar=Scalar(blob=Blob(metadata=BlobMetadata(type=BlobType(format="csv"))))), blob()),
        (Literal(offloaded_metadata=LiteralOffloadedMetadata(inferred_type=listed(INT))), listed(INT)),
    ],
)
def test_values_that_fit(literal, literal_type):
    assert literal_problem(literal, literal_type) is None


@pytest.mark.parametrize(
    ("literal", "literal_type", "problem"),
    [
        (ONE, FLOAT, "expected FLOAT, got INTEGER"),
        (Literal(), INT, "expected INTEGER, got no value"),
        (NOTHING, INT, "expected INTEGER, got NONE"),
        (WORD, enum("blue"), "expected enum[blue], got 'red'"),
        (literals(ONE, WORD), listed(INT), "[1]: expected INTEGER, got STRING"),
        (literals(ONE), INT, "expected INTEGER, got a list"),
        (ONE, listed(INT), "expected list[INTEGER], got INTEGER"),
        (
            Literal(map=LiteralMap(literals={"k": literals(WORD)})),
            mapped(listed(INT)),
            "['k']: [0]: expected INTEGER, got STRING",
        ),
        (WORD, union(INT, NONE), "expected union[INTEGER | NONE], got STRING"),
        (
            Literal(scalar=Scalar(union=Union(value=WORD, type=STR))),
            union(INT, NONE),
            "expected union[INTEGER | NONE], got STRING",
        ),
        (Literal(scalar=Scalar(binary=Binary(value=b"x", tag="other"))), STRUCT, "expected STRUCT, got binary"),
        (
            Literal(offloaded_metadata=LiteralOffloadedMetadata(inferred_type=listed(STR))),
            listed(INT),
            "expected list[INTEGER], got list[STRING]",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_explained(literal, literal_type, problem):
    assert literal_problem(literal, literal_type) == problem


def test_only_a_union_with_none_is_optional():
    assert is_optional(union(INT, NONE))
    assert not is_optional(union(INT, STR))
    assert not is_optional(NONE)
