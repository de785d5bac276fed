"""Where a control plane has its users log in, and the requests that are made there."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import grpc
from flyteidl.service.auth_pb2 import OAuth2MetadataRequest, PublicClientAuthConfigRequest
from flyteidl.service.auth_pb2_grpc import AuthMetadataServiceStub

from flyte_kit.configuration.platform import PlatformConfig, is_loopback
from flyte_kit.exceptions.user import FlyteAuthenticationException

TIMEOUT_SECONDS = 30.0
DEFAULT_HEADER = "authorization"


class Refused(FlyteAuthenticationException):
    """The login server has refused; ``error`` is OAuth's word for why."""

    def __init__(self, url: str, status: int, answer: dict[str, Any]) -> None:
        self.error = str(answer.get("error") or status)
        more = answer.get("error_description")
        super().__init__(f"{url} refuses the login: {self.error}" + (f" ({more})" if more else ""))


@dataclass(frozen=True)
class LoginServer:
    """What a control plane says about logins; the client's own settings come first.

    :ivar header: name of the metadata entry that carries the token
    :ivar redirect_uri: where a browser is sent with the code
    :ivar context: TLS of requests; None where the system's authorities are trusted
    :ivar plain: whether secrets may go without TLS to another machine, as the whole connection does
    """

    token_endpoint: str
    authorization_endpoint: str = ""
    device_endpoint: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    scopes: list[str] = field(default_factory=list)
    audience: str = ""
    header: str = DEFAULT_HEADER
    context: ssl.SSLContext | None = None
    plain: bool = False

    def post(self, url: str, fields: dict[str, str], *, basic: tuple[str, str] | None = None) -> dict[str, Any]:
        """Send a form and return the JSON of the answer.

        :param basic: name and password
        :raises Refused: if the server says no
        :raises FlyteAuthenticationException: if it does not answer, or not with JSON
        """
        place = urllib.parse.urlsplit(url)
        if place.scheme not in {"http", "https"}:
            raise FlyteAuthenticationException(f"the control plane names no address to log in at, but {url!r}")
        if place.scheme == "http" and not self.plain and not is_loopback(f"{place.hostname}:0"):
            raise FlyteAuthenticationException(f"the control plane wants secrets to be sent without TLS, to {url}")
        headers = {"Accept": "application/json"}
        if basic is not None:
            pair = ":".join(urllib.parse.quote(each, safe="") for each in basic)
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body = urllib.parse.urlencode({key: value for key, value in fields.items() if value}).encode()
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=self.context) as answer:
                return _document(url, answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(url, error.code, _document(url, error.read())) from error
        except OSError as error:
            raise FlyteAuthenticationException(f"the login server does not answer at {url}: {error}") from error

    def scope_text(self) -> str:
        """Return the scopes as OAuth has them."""
        return " ".join(self.scopes)


def discover(channel: grpc.Channel, platform: PlatformConfig) -> LoginServer:
    """Ask a control plane where its users log in.

    :raises FlyteAuthenticationException: if it does not say
    """
    stub = AuthMetadataServiceStub(channel)
    try:
        oauth = stub.GetOAuth2Metadata(OAuth2MetadataRequest(), timeout=TIMEOUT_SECONDS)
        client = stub.GetPublicClientConfig(PublicClientAuthConfigRequest(), timeout=TIMEOUT_SECONDS)
    except grpc.RpcError as error:
        raise FlyteAuthenticationException(
            f"{platform.endpoint} wants a login and does not say where: {error.code().name}: {error.details()}"
        ) from error
    trusted = ssl.create_default_context(cafile=platform.ca_cert_file_path) if platform.ca_cert_file_path else None
    return LoginServer(
        token_endpoint=oauth.token_endpoint,
        authorization_endpoint=oauth.authorization_endpoint,
        device_endpoint=oauth.device_authorization_endpoint,
        client_id=platform.client_id or client.client_id,
        redirect_uri=client.redirect_uri,
        scopes=platform.scopes or [*client.scopes],
        audience=platform.audience or client.audience,
        header=(client.authorization_metadata_key or DEFAULT_HEADER).lower(),
        context=trusted,
        plain=platform.insecure,
    )


def _document(url: str, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise FlyteAuthenticationException(f"the login server at {url} answers with something else than a JSON object")
    return document
