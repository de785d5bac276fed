"""Signatures of S3 requests, version 4 of AWS: made for signed URLs, and made again to check those that come in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, urlsplit

from flyte_core.errors import ConfigError, InvalidInput

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
TIME_FORMAT = "%Y%m%dT%H%M%SZ"
LONGEST_VALIDITY = timedelta(days=7)
"""Longest validity of a signed URL in the protocol."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair of S3.

    :ivar secret_key: never shown
    """

    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        return f"Credentials({self.access_key!r})"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for, beside the request itself.

    :ivar date: day of the signature, ``YYYYMMDD``
    """

    date: str
    region: str
    service: str = "s3"

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request that a signature covers.

    :ivar path: decoded path, with the leading slash
    :ivar query: decoded pairs, without the signature
    :ivar headers: the signed ones, names in lower case
    :ivar payload: SHA-256 of the body in hexadecimal, or what stands for it
    """

    method: str
    path: str
    query: Iterable[tuple[str, str]]
    headers: Mapping[str, str]
    payload: str = UNSIGNED_PAYLOAD

    def canonical(self) -> str:
        """Return the request in the one form that both sides sign."""
        query = sorted((encode(name), encode(value)) for name, value in self.query)
        headers = sorted((name, " ".join(value.split())) for name, value in self.headers.items())
        return "\n".join(
            [
                self.method,
                quote(self.path, safe="/-_.~"),
                "&".join(f"{name}={value}" for name, value in query),
                *(f"{name}:{value}" for name, value in headers),
                "",
                ";".join(name for name, _ in headers),
                self.payload,
            ]
        )


def encode(text: str) -> str:
    """Percent-encode everything but unreserved characters."""
    return quote(text, safe="-_.~")


def signature(request: SignedRequest, credentials: Credentials, time: str, scope: Scope) -> str:
    """Return the signature in hexadecimal.

    :param time: of signing, in :data:`TIME_FORMAT`
    """
    digest = hashlib.sha256(request.canonical().encode()).hexdigest()
    return sign_text("\n".join([ALGORITHM, time, str(scope), digest]), credentials, scope)


def sign_text(text: str, credentials: Credentials, scope: Scope) -> str:
    """Sign any text with the key that is derived for a scope."""
    key = _derived_key(credentials.secret_key, scope)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=64)
def _derived_key(secret_key: str, scope: Scope) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key


@dataclass(frozen=True, slots=True)
class S3Signer:
    """Makes signed URLs for an S3 endpoint that is addressed by path (``<endpoint>/<bucket>/<key>``).

    :ivar endpoint: URL by which clients reach it; the signature covers its host and port
    """

    endpoint: str
    credentials: Credentials
    region: str = "us-east-1"

    def __post_init__(self) -> None:
        parts = urlsplit(self.endpoint)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ConfigError(f"the S3 endpoint {self.endpoint!r} is no URL such as http://127.0.0.1:9000")

    def sign(
        self,
        method: str,
        path: str,
        *,
        now: datetime,
        expires: timedelta,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> str:
        """Return a URL that carries the permission for one kind of request.

        :param path: decoded, ``/bucket/key``
        :param headers: which the client has to send exactly so, names in lower case
        :raises InvalidInput: unless ``expires`` is between one second and seven days
        """
        if not timedelta(seconds=1) <= expires <= LONGEST_VALIDITY:
            raise InvalidInput(f"a signed URL is valid for 1 second to 7 days, not {expires}", field="expires_in")
        endpoint = urlsplit(self.endpoint)
        signed = {"host": endpoint.netloc.lower(), **(headers or {})}
        time = now.astimezone(UTC).strftime(TIME_FORMAT)
        scope = Scope(time[:8], self.region)
        pairs = {
            **(query or {}),
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.credentials.access_key}/{scope}",
            "X-Amz-Date": time,
            "X-Amz-Expires": str(int(expires.total_seconds())),
            "X-Amz-SignedHeaders": ";".join(sorted(signed)),
        }
        full_path = endpoint.path.rstrip("/") + path
        request = SignedRequest(method, full_path, pairs.items(), signed)
        pairs["X-Amz-Signature"] = signature(request, self.credentials, time, scope)
        text = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs.items())
        return f"{endpoint.scheme}://{endpoint.netloc}{quote(full_path, safe='/-_.~')}?{text}"
