"""Signs a request with botocore: the other implementation."""

from __future__ import annotations

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from s3_endpoint import CREDENTIALS


class _Auth(S3SigV4Auth):
    def __init__(self, payload: str) -> None:
        super().__init__(BotoCredentials(CREDENTIALS.access_key, CREDENTIALS.secret_key), "s3", "eu-west-1")
        self._payload = payload

    def payload(self, request: AWSRequest) -> str:
        return self._payload


def sign(
    method: str, url: str, headers: dict[str, str] | None = None, payload: str = "UNSIGNED-PAYLOAD"
) -> dict[str, str]:
    """Return the headers of a signed request."""
    request = AWSRequest(method=method, url=url, headers=headers or {})
    _Auth(payload).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}
