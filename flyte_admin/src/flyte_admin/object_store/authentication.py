"""Who sent a request: signatures version 4, in the Authorization header or in the query of a signed URL.

Every request needs one. A signature has to cover the host and every ``x-amz-`` header, so that nothing of what it
permits can be changed on the way.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flyte_admin.object_store.refusals import Refusal
from flyte_admin.object_store.requests import S3Request
from flyte_core.builtin.s3_signing import (
    ALGORITHM,
    LONGEST_VALIDITY,
    TIME_FORMAT,
    UNSIGNED_PAYLOAD,
    Credentials,
    Scope,
    SignedRequest,
    signature,
)

SKEW = timedelta(minutes=15)
"""How far the clocks of client and server may differ."""

_HEADER = re.compile(rf"{ALGORITHM} +(?P<fields>.+)")
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Grant:
    """A request whose signature is right.

    :ivar payload: SHA-256 of the body in hexadecimal, or what the client put in its place
    :ivar signature: of the head; the signatures of signed chunks continue it
    """

    credentials: Credentials
    scope: Scope
    time: str
    signature: str
    payload: str


@dataclass(frozen=True, slots=True)
class _Claim:
    access_key: str
    scope: Scope
    time: str
    signed_headers: tuple[str, ...]
    signature: str


def authenticate(request: S3Request, known: Mapping[str, Credentials], now: datetime) -> Grant:
    """Check the signature of a request.

    :param known: credentials by access key
    :raises Refusal: 403 without a valid signature, 400 for a malformed one
    """
    if request.has("X-Amz-Algorithm"):
        claim = _from_query(request, now)
        query = [pair for pair in request.query if pair[0] != "X-Amz-Signature"]
        payload = request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
    else:
        claim = _from_header(request, now)
        query = list(request.query)
        payload = request.headers.get("x-amz-content-sha256", "")
        if not payload:
            raise Refusal("InvalidRequest", "the header x-amz-content-sha256 is missing")
    credentials = known.get(claim.access_key)
    if credentials is None:
        raise Refusal("InvalidAccessKeyId", f"there is no access key {claim.access_key[:64]!r}")
    _check_coverage(request, claim)
    headers = {name: request.headers.get(name, "") for name in claim.signed_headers}
    signed = SignedRequest(request.method, request.path, query, headers, payload)
    expected = signature(signed, credentials, claim.time, claim.scope)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise Refusal("SignatureDoesNotMatch", "the signature does not fit the request; check the secret key")
    return Grant(credentials, claim.scope, claim.time, expected, payload)


def _from_header(request: S3Request, now: datetime) -> _Claim:
    header = request.headers.get("authorization", "")
    if request.has("AWSAccessKeyId"):
        raise Refusal("InvalidRequest", "only URLs of signature version 4 are accepted: signature_version='s3v4'")
    if not header:
        raise Refusal("AccessDenied", "the request is not signed")
    match = _HEADER.fullmatch(header.strip())
    if match is None:
        raise Refusal("InvalidRequest", f"only signatures {ALGORITHM} are accepted")
    fields = dict(part.strip().partition("=")[::2] for part in match["fields"].split(","))
    if not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        raise Refusal("AuthorizationHeaderMalformed", "Authorization needs Credential, SignedHeaders and Signature")
    time = request.headers.get("x-amz-date", "")
    signed_at = _parsed_time(time, "AccessDenied", "x-amz-date")
    if abs(now - signed_at) > SKEW:
        raise _skewed(now, signed_at)
    return _claim(
        fields["Credential"], time, fields["SignedHeaders"], fields["Signature"], "AuthorizationHeaderMalformed"
    )


def _from_query(request: S3Request, now: datetime) -> _Claim:
    code = "AuthorizationQueryParametersError"
    if request.get("X-Amz-Algorithm") != ALGORITHM:
        raise Refusal(code, f"X-Amz-Algorithm must be {ALGORITHM}")
    time = request.get("X-Amz-Date")
    signed_at = _parsed_time(time, code, "X-Amz-Date")
    seconds = request.get("X-Amz-Expires")
    if not (seconds.isascii() and seconds.isdigit() and 0 < int(seconds[:9]) <= LONGEST_VALIDITY.total_seconds()):
        raise Refusal(code, "X-Amz-Expires must be from 1 to 604800 seconds")
    if signed_at - now > SKEW:
        raise _skewed(now, signed_at)
    if now > signed_at + timedelta(seconds=int(seconds)):
        raise Refusal("AccessDenied", "Request has expired")
    signed_headers, given = request.get("X-Amz-SignedHeaders"), request.get("X-Amz-Signature")
    return _claim(request.get("X-Amz-Credential"), time, signed_headers, given, code)


def _claim(credential: str, time: str, signed_headers: str, given: str, code: str) -> _Claim:
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"] or parts[1] != time[:8]:
        raise Refusal(code, "Credential must be <access key>/<date>/<region>/s3/aws4_request, with the date of signing")
    return _Claim(parts[0], Scope(parts[1], parts[2]), time, tuple(signed_headers.split(";")), given)


def _check_coverage(request: S3Request, claim: _Claim) -> None:
    needed = {name for name in request.headers if name.startswith("x-amz-")} | {"host"}
    if missing := needed - set(claim.signed_headers):
        raise Refusal("AccessDenied", f"these headers are not signed: {', '.join(sorted(missing))}"[:256])


def _parsed_time(text: str, code: str, name: str) -> datetime:
    refusal = Refusal(code, f"{name} must be a time such as 20240101T000000Z")
    if not _TIME.fullmatch(text):
        raise refusal
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise refusal from error


def _skewed(now: datetime, signed_at: datetime) -> Refusal:
    return Refusal("RequestTimeTooSkewed", f"signed at {signed_at:%FT%TZ}, but here it is {now:%FT%TZ}: set the clock")
