"""A control plane that wants to know who asks, and the login server that it names."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from flyteidl.admin.project_pb2 import Project, Projects
from flyteidl.service.admin_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server
from flyteidl.service.auth_pb2 import OAuth2MetadataResponse, PublicClientAuthConfigResponse
from flyteidl.service.auth_pb2_grpc import AuthMetadataServiceServicer, add_AuthMetadataServiceServicer_to_server

from flyte_up import free_ports

HEADER = "flyte-authorization"
REFUSE = 401


@dataclass
class Logins:
    """What the login server knows.

    :ivar good: tokens that are taken
    :ivar grants: kinds of logins that were made, in order
    :ivar pending: how often a device has to ask
    """

    address: str = ""
    redirect_port: int = 0
    good: set[str] = field(default_factory=set)
    grants: list[str] = field(default_factory=list)
    challenges: dict[str, str] = field(default_factory=dict)
    pending: int = 1
    asked: list[dict[str, str]] = field(default_factory=list)
    seen_proxy_tokens: set[str] = field(default_factory=set)

    def token(self, form: dict[str, str], password: str) -> tuple[int, dict[str, Any]]:
        """Answer the token endpoint."""
        grant = form["grant_type"].rsplit(":", 1)[-1]
        self.asked.append(form)
        if grant == "client_credentials" and password != "robot:s3cret%41+":
            return REFUSE, {"error": "invalid_client", "error_description": "the secret is wrong"}
        if grant == "device_code" and self.pending:
            self.pending -= 1
            return 400, {"error": "authorization_pending"}
        if grant == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if self.challenges.pop(form["code"]) != base64.urlsafe_b64encode(digest).decode().rstrip("="):
                return 400, {"error": "invalid_grant"}
        self.grants.append(grant)
        token = f"token-{len(self.grants)}"
        self.good = {token}
        return 200, {"access_token": token, "refresh_token": "again", "expires_in": 3600, "token_type": "Bearer"}


class _Pages(BaseHTTPRequestHandler):
    logins: Logins

    def do_POST(self) -> None:
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/device":
            answer: dict[str, Any] = {"device_code": "dev", "user_code": "ABCD", "interval": 0.01}
            self._json(200, {**answer, "verification_uri": f"{self.logins.address}/enter"})
            return
        basic = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        self._json(*self.logins.token(form, urllib.parse.unquote(basic)))

    def do_GET(self) -> None:
        """Be the page on which somebody agrees at once."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        self.logins.challenges["code-1"] = query["code_challenge"]
        back = urllib.parse.urlencode({"code": "code-1", "state": query["state"]})
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{back}")
        self.end_headers()

    def _json(self, status: int, document: dict[str, Any]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


class GuardedAdmin(AdminServiceServicer, AuthMetadataServiceServicer):
    """Both services of the control plane."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    def ListProjects(self, request: Any, context: Any) -> Projects:
        entries = dict(context.invocation_metadata())
        seen = entries.get(HEADER, "")
        self._logins.seen_proxy_tokens |= (
            {entries["proxy-authorization"]} if "proxy-authorization" in entries else set()
        )
        if seen.removeprefix("Bearer ") not in self._logins.good:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        return Projects(projects=[Project(id="guarded", name="guarded")])

    def GetOAuth2Metadata(self, request: Any, context: Any) -> OAuth2MetadataResponse:
        base = self._logins.address
        return OAuth2MetadataResponse(
            issuer=base,
            token_endpoint=f"{base}/token",
            authorization_endpoint=f"{base}/authorize",
            device_authorization_endpoint=f"{base}/device",
        )

    def GetPublicClientConfig(self, request: Any, context: Any) -> PublicClientAuthConfigResponse:
        return PublicClientAuthConfigResponse(
            client_id="flytectl",
            redirect_uri=f"http://localhost:{self._logins.redirect_port}/callback",
            scopes=["all", "offline"],
            authorization_metadata_key=HEADER,
        )


@contextmanager
def guarded_control_plane(credentials: grpc.ServerCredentials | None = None) -> Iterator[tuple[int, Logins]]:
    """Serve both; yield the port of the control plane, and what the login server knows.

    :param credentials: TLS of the control plane
    """
    logins = Logins(redirect_port=free_ports(1)[0])
    pages = ThreadingHTTPServer(("127.0.0.1", 0), type("Pages", (_Pages,), {"logins": logins}))
    logins.address = f"http://127.0.0.1:{pages.server_port}"
    thread = threading.Thread(target=pages.serve_forever, daemon=True)
    thread.start()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    admin = GuardedAdmin(logins)
    add_AdminServiceServicer_to_server(admin, server)
    add_AuthMetadataServiceServicer_to_server(admin, server)
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield port, logins
    finally:
        server.stop(None)
        pages.shutdown()
        pages.server_close()
