"""The one table from our errors to gRPC's status codes and HTTP's.

UNKNOWN and UNAUTHENTICATED are never in it: either makes upstream's client start a login and hang.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status as StatusMessage

from flyte_core import errors

LONGEST_MESSAGE = 32_000
"""Bytes of a status text and its details, as they are encoded on the wire. Clients take 32 KiB of metadata in all."""

_CUT = "... [truncated: the message exceeded the limit of gRPC]"

_CODES: Mapping[type[errors.FlyteError], grpc.StatusCode] = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
    errors.TooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.UserError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.FlyteError: grpc.StatusCode.INTERNAL,
}
"""Looked up along the class's bases, so that an error class of a package needs no entry of its own."""

_HTTP: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
}
"""As grpc-gateway maps them."""


@runtime_checkable
class HasDetail(Protocol):
    """An error with a protobuf message by which clients tell cases apart (``EventFailureReason``, …)."""

    detail: Message


@dataclass(frozen=True, slots=True)
class Status:
    """How a call failed.

    :ivar message: for people; cut where it would not pass gRPC's limits
    :ivar details: as packed messages
    """

    code: grpc.StatusCode
    message: str
    details: tuple[Any, ...] = ()

    @property
    def http_status(self) -> int:
        """The HTTP status that says the same."""
        return _HTTP[self.code]

    @property
    def number(self) -> int:
        """The number of the gRPC status code."""
        number: int = self.code.value[0]
        return number

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """Return the metadata that carries the details; empty without any."""
        if not self.details:
            return ()
        message = StatusMessage(code=self.number, message=self.message, details=self.details)
        return (("grpc-status-details-bin", message.SerializeToString()),)


def status_of(error: errors.FlyteError) -> Status:
    """Return the status that tells a client of this error."""
    code = next(_CODES[base] for base in type(error).__mro__ if base in _CODES)
    details: tuple[Any, ...] = ()
    if isinstance(error, HasDetail):
        packed = Any()
        packed.Pack(error.detail)
        details = (packed,)
    return Status(code, _cut(str(error), details), details)


def _cut(message: str, details: tuple[Any, ...]) -> str:
    """Cut the text so that it passes: percent-encoded once, and once more in base64 beside details."""
    budget = LONGEST_MESSAGE - sum(detail.ByteSize() * 4 // 3 for detail in details) - len(_CUT)
    if len(message) * 12 < budget:  # even if each character took four bytes, all of them encoded
        return message
    spent = 0.0
    for index, character in enumerate(message):
        size = len(character.encode("utf-8", "replace"))
        spent += size * (1 if " " <= character <= "~" and character != "%" else 3)
        spent += size * 4 / 3 if details else 0
        if spent > budget:
            return message[:index] + _CUT
    return message
