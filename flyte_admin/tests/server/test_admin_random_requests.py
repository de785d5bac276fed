"""Random requests to every method: each is answered, and none as UNKNOWN or INTERNAL."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import grpc
import pytest
from flyteidl.service import admin_pb2, signal_pb2
from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

TEXTS = (
    *(
        "flytesnacks",
        "development",
        "double",
        "v1",
        "wf",
        "n0",
        "x",
        "",
        "ä",
        "a\0b",
        "a" * 300,
        "'; --",
        "..",
        "%",
        "\\",
    ),
    *("eq(name,x)", "eq(phase,x)", "created_at", "name", "5", "-1", "s3://flyte/x", "mem://flyte/metadata/x"),
)
INTEGERS = (0, 1, 2, 3, 5, 100, 2**31 - 1)
LARGE = (*INTEGERS, 2**63 - 1)
SIGNED = (F.TYPE_INT32, F.TYPE_INT64, F.TYPE_SINT64)
SKIPPED = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAUTHENTICATED)
WIDE = (F.CPPTYPE_INT64, F.CPPTYPE_UINT64)


def fill(message: Message, dice: random.Random, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if dice.random() > (0.9 if depth < 2 else 0.35):
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            fill_map(message, field, dice, depth)
        elif field.message_type is not None:
            target = getattr(message, field.name)
            if depth < 6:
                child = target.add() if field.is_repeated else target
                child.SetInParent()
                fill(child, dice, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend(value(field, dice) for _ in range(dice.randrange(2)))
        else:
            setattr(message, field.name, value(field, dice))


def fill_map(message: Message, field: F, dice: random.Random, depth: int) -> None:
    target = getattr(message, field.name)
    entry = field.message_type.fields_by_name["value"]
    key = value(field.message_type.fields_by_name["key"], dice)
    if entry.message_type is None:
        target[key] = value(entry, dice)
    elif depth < 6:
        fill(target[key], dice, depth + 1)


def value(field: F, dice: random.Random) -> Any:
    if field.enum_type is not None:
        return dice.choice([*field.enum_type.values_by_number, 99])
    match field.cpp_type:
        case F.CPPTYPE_STRING:
            text = dice.choice(TEXTS)
            return text.encode() if field.type == F.TYPE_BYTES else text
        case F.CPPTYPE_BOOL:
            return dice.random() < 0.5
        case F.CPPTYPE_DOUBLE | F.CPPTYPE_FLOAT:
            return dice.choice((0.0, -1.5, float("nan"), float("inf")))
        case kind:
            number = dice.choice(LARGE if kind in WIDE else INTEGERS)
            return -number if field.type in SIGNED and dice.random() < 0.2 else number


@pytest.mark.parametrize("seed", range(2))
async def test_random_requests_are_answered_without_faults(admin: Any, make: Any, seed: int) -> None:
    await admin.stub.CreateTask(make.task())
    dice = random.Random(seed)
    answers: Counter[grpc.StatusCode] = Counter()
    for module, service in ((admin_pb2, "AdminService"), (signal_pb2, "SignalService")):
        descriptor = module.DESCRIPTOR.services_by_name[service]
        for method in descriptor.methods:
            call = admin.channel.unary_unary(f"/{descriptor.full_name}/{method.name}")
            for _ in range(12):
                request = GetMessageClass(method.input_type)()
                fill(request, dice, 0)
                pending = call(request.SerializeToString(), timeout=10)
                code = await pending.code()
                answers[code] += 1
                assert code not in SKIPPED, (method.name, await pending.details(), request)
    assert answers[grpc.StatusCode.INVALID_ARGUMENT] > 100
