"""Refusals as S3 gives them: a code that clients know, a status, and XML."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from flyte_core.builtin.file_tree import StoreFull
from flyte_core.errors import AlreadyExists, FlyteError, InvalidInput, NotFound, TooLarge, Unavailable, UserError

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

STATUS = {
    "AccessDenied": 403,
    "AuthorizationHeaderMalformed": 400,
    "AuthorizationQueryParametersError": 400,
    "BadDigest": 400,
    "EntityTooLarge": 400,
    "IncompleteBody": 400,
    "InsufficientStorage": 507,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidArgument": 400,
    "InvalidDigest": 400,
    "InvalidPart": 400,
    "InvalidPartOrder": 400,
    "InvalidRange": 416,
    "InvalidRequest": 400,
    "InvalidURI": 400,
    "MalformedXML": 400,
    "MetadataTooLarge": 400,
    "MethodNotAllowed": 405,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "NotModified": 304,
    "PreconditionFailed": 412,
    "RequestTimeTooSkewed": 403,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "XAmzContentSHA256Mismatch": 400,
}


class Refusal(UserError):
    """A request is refused with one of S3's codes.

    :param code: a key of :data:`STATUS`
    :param headers: for the answer
    """

    def __init__(self, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS[code]
        self.headers = headers or {}


def refusal_of(error: FlyteError) -> Refusal:
    """Return an error of the platform in S3's words."""
    match error:
        case Refusal():
            return error
        case StoreFull():
            return Refusal("InsufficientStorage", str(error))
        case Unavailable():
            return Refusal("ServiceUnavailable", str(error))
        case NotFound():
            return Refusal("NoSuchKey", str(error))
        case AlreadyExists():
            return Refusal("PreconditionFailed", str(error))
        case TooLarge():
            return Refusal("EntityTooLarge", str(error))
        case InvalidInput():
            return Refusal("InvalidArgument", str(error))
    return Refusal("InternalError", str(error))


def refusal_xml(refusal: Refusal, resource: str, request_id: str) -> bytes:
    """Return the body of a refusal."""
    root = Element("Error")
    for name, text in (
        ("Code", refusal.code),
        ("Message", str(refusal)),
        ("Resource", resource),
        ("RequestId", request_id),
    ):
        SubElement(root, name).text = printable(text)
    data: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def printable(text: str) -> str:
    """Replace what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
