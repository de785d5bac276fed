"""Identifiers: checked names from outside, and the deterministic names that the platform derives from them.

A derived name is a pure function of its parts, so that the same node, attempt or child execution has the same name
after a crash, on another machine, and in upstream's implementation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from flyteidl.admin.common_pb2 import NamedEntityIdentifier
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier

from flyte_core.errors import InvalidInput

AnyIdentifier: TypeAlias = Identifier | WorkflowExecutionIdentifier | NamedEntityIdentifier

UNIQUE_NODE_ID_LIMIT = 20
"""Longest unique node id, in characters; it becomes part of pod names."""
GENERATED_NAME_LIMIT = 50
"""Longest generated name of a task attempt where its plugin states no other limit."""
SHARD_COUNT = 32
"""Number of values that the label ``shard-key`` takes."""
IDENTIFIER_LIMIT = 255
"""Longest project, domain, name or version, in bytes of UTF-8."""
EXECUTION_NAME_LIMIT = 63
"""Longest execution name: it is the name of a Kubernetes object and the value of a label."""

_BASE32 = "abcdefghijklmnopqrstuvwxyz123456"
_BASE36 = "abcdefghijklmnopqrstuvwxyz0123456789"
_FNV = {32: (0x811C9DC5, 0x01000193), 64: (0xCBF29CE484222325, 0x100000001B3)}
_EXECUTION_NAME = re.compile(r"[a-z][a-z0-9-]*")
_NOT_LABEL = re.compile(r"[^a-z0-9]")


def fnv1a(data: bytes, bits: int = 32) -> int:
    """Return the FNV-1a hash of ``data`` with 32 or 64 bits: upstream's choice for every derived name."""
    value, prime = _FNV[bits]
    mask = (1 << bits) - 1
    for byte in data:
        value = ((value ^ byte) * prime) & mask
    return value


def fixed_length_unique_id(parts: Sequence[str], max_len: int, *, bits: int = 32) -> str:
    """Join ``parts`` with ``-`` (leading empty ones left out), or hash the result where it is too long.

    The hashed form is ``f`` and the base-32 FNV-1a of the joined text: 8 characters for 32 bits, 14 for 64.

    :param max_len: longest result, in bytes
    :raises ValueError: if even the hashed form is longer than ``max_len``
    """
    joined = ""
    for part in parts:
        joined = f"{joined}-{part}" if joined else part
    encoded = joined.encode()
    if len(encoded) <= max_len:
        return joined
    hashed = "f" + _base32(fnv1a(encoded, bits), bits)
    if len(hashed) > max_len:
        raise ValueError(f"max_len {max_len} is too small for a name of {len(hashed)} characters")
    return hashed


def _base32(value: int, bits: int) -> str:
    length = -(-bits // 5)
    value <<= length * 5 - bits
    return "".join(_BASE32[(value >> (5 * (length - 1 - i))) & 31] for i in range(length))


def unique_node_id(parent_unique_id: str, parent_attempt: int, node_id: str) -> str:
    """Return the id of a node within its execution: ``n0`` at the top, ``n0-0-n1`` below attempt 0 of node ``n0``.

    This is the ``node_id`` of events and node executions (upstream's event version 1 and above).

    :param parent_unique_id: unique id of the parent node; empty at the top, where ``parent_attempt`` is not used
    :param parent_attempt: attempt of the parent, counted from 0
    """
    parts = [parent_unique_id, str(parent_attempt), node_id] if parent_unique_id else [node_id]
    return fixed_length_unique_id(parts, UNIQUE_NODE_ID_LIMIT)


def attempt_name(execution_name: str, unique_id: str, attempt: int, *, max_len: int = GENERATED_NAME_LIMIT) -> str:
    """Return the generated name of one attempt of a node: of its pod or job, and of its raw output folder.

    :param unique_id: the unique node id
    :param attempt: counted from 0
    """
    return fixed_length_unique_id([execution_name, unique_id, str(attempt)], max_len)


def child_execution_name(execution_name: str, unique_id: str, attempt: int, *, definition_version: int = 1) -> str:
    """Return the name of the execution that a launch plan node starts: the same on every try of one attempt.

    :param definition_version: the FlyteWorkflow's ``status.defVersion``; from 1 on hashed names carry 64 bits
    """
    bits = 64 if definition_version >= 1 else 32
    return fixed_length_unique_id([execution_name, unique_id, str(attempt)], UNIQUE_NODE_ID_LIMIT, bits=bits)


def raw_output_shard(unique_id: str) -> str:
    """Return the two characters that spread raw outputs over an object store's partitions.

    :param unique_id: the attempt's generated name within :data:`GENERATED_NAME_LIMIT`
    """
    high, low = divmod(fnv1a(unique_id.encode()) % 1296, 36)
    return _BASE36[high] + _BASE36[low]


def shard_key(execution_name: str) -> str:
    """Return the value of the label ``shard-key``, by which several propellers share the work."""
    return str(fnv1a(execution_name.encode()) % SHARD_COUNT)


def label_value(name: str) -> str:
    """Return ``name`` as a Kubernetes label value: lower case, other characters replaced by ``-``, at most 63."""
    return _NOT_LABEL.sub("-", name.lower())[:63].strip("-")


def check_execution_name(name: str, *, field: str = "name") -> None:
    """Check a name given for an execution.

    :raises InvalidInput: unless it is 1 to 63 lower-case letters, digits and ``-``, the first one a letter
    """
    if not name:
        raise InvalidInput(f"missing {field}", field=field)
    if len(name) > EXECUTION_NAME_LIMIT:
        raise InvalidInput(
            f"invalid value for {field}: {len(name)} characters, at most {EXECUTION_NAME_LIMIT} are allowed",
            field=field,
        )
    if not _EXECUTION_NAME.fullmatch(name):
        raise InvalidInput(
            f"invalid value for {field}: {name!r} must be lower-case letters, digits and '-', starting with a letter",
            field=field,
        )


def check_identifier(identifier: AnyIdentifier, field: str, *, resource_type: int | None = None) -> None:
    """Check that every part of an identifier which its message has is there and short enough.

    :param field: dotted path of the identifier in the request, for the error
    :param resource_type: a ``ResourceType`` which the identifier must have; None takes any but UNSPECIFIED
    :raises InvalidInput: naming the first part at fault
    """
    if isinstance(identifier, Identifier):
        _check_resource_type(identifier.resource_type, field, resource_type)
    for part in ("project", "domain", "name", "version"):
        if part in identifier.DESCRIPTOR.fields_by_name:
            check_name(getattr(identifier, part), f"{field}.{part}" if field else part)


def _check_resource_type(found: int, field: str, wanted: int | None) -> None:
    where = f"{field}.resource_type" if field else "resource_type"
    if wanted is not None and found != wanted:
        raise InvalidInput(
            f"unexpected {where} {_resource_type_name(found)}, expected {_resource_type_name(wanted)}", field=where
        )
    if wanted is None and found == ResourceType.UNSPECIFIED:
        raise InvalidInput(f"missing {where}", field=where)


def _resource_type_name(number: int) -> str:
    known = ResourceType.DESCRIPTOR.values_by_number.get(number)
    return known.name if known else str(number)


def check_name(value: str, field: str) -> None:
    """Check one part of an identifier.

    :raises InvalidInput: if it is empty, longer than :data:`IDENTIFIER_LIMIT` bytes or has control characters, which
        no database and no path takes
    """
    if not value:
        raise InvalidInput(f"missing {field}", field=field)
    size = len(value.encode())
    if size > IDENTIFIER_LIMIT:
        raise InvalidInput(
            f"invalid value for {field}: {size} bytes, at most {IDENTIFIER_LIMIT} are allowed", field=field
        )
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise InvalidInput(f"invalid value for {field}: {value!r} has control characters", field=field)


def identifier_key(identifier: Identifier) -> str:
    """Return the text by which a FlyteWorkflow refers to a task or sub-workflow.

    It has the look of upstream's keys, which nobody may parse or rebuild: only equality within one manifest counts.
    """
    parts = []
    if identifier.resource_type:
        parts.append(f"resource_type:{_resource_type_name(identifier.resource_type)}")
    for name in ("project", "domain", "name", "version", "org"):
        value = getattr(identifier, name)
        if value:
            parts.append(f"{name}:{_quoted(value)}")
    return " ".join(parts)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
