"""The table of methods: for each RPC what answers it. The gRPC server and the REST gateway both read it."""

from __future__ import annotations

import logging
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from flyte_admin.rpc.errors import Status, status_of
from flyte_core.errors import FlyteError, Unimplemented

Rpc: TypeAlias = Callable[[Any], Awaitable[Message]]
"""A method of a service class: one request message in, one response message out."""

_log = logging.getLogger(__name__)
_REQUEST_ID_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC.

    :ivar rpc: what answers it
    """

    descriptor: MethodDescriptor
    request_class: type[Message]
    rpc: Rpc

    @property
    def path(self) -> str:
        """The gRPC path: ``/package.Service/Method``."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    async def answer(self, request: Message, request_id: str = "") -> Message | Status:
        """Return the response, or how the call failed. Nothing is raised but the caller's own cancellation.

        What no rule foresaw is a fault of this program: the client is told INTERNAL and an id, the log has the rest.

        :param request_id: as the client gave it; one is made up where it is needed
        """
        try:
            return await self.rpc(request)
        except FlyteError as error:
            status = status_of(error)
            if status.code is grpc.StatusCode.INTERNAL:
                self._log_fault(error, request_id or new_request_id())
            return status
        except Exception as error:  # noqa: BLE001 - the border: nothing may reach a client as UNKNOWN
            request_id = request_id or new_request_id()
            self._log_fault(error, request_id)
            return Status(grpc.StatusCode.INTERNAL, f"internal error; the server's log has it under {request_id}")

    def _log_fault(self, error: Exception, request_id: str) -> None:
        _log.error("request failed", extra={"method": self.path, "request_id": request_id}, exc_info=error)


def new_request_id() -> str:
    """Return an id for a request that came without one (upstream's form: ``a-`` and 20 characters)."""
    return "a-" + "".join(secrets.choice(_REQUEST_ID_ALPHABET) for _ in range(20))


def service_methods(service: ServiceDescriptor, rpcs: Mapping[str, Rpc], *, why_not: str = "") -> dict[str, Method]:
    """Return every unary method of a service by name; those that ``rpcs`` lacks answer UNIMPLEMENTED.

    :param why_not: reason in the answer of methods that are not there
    :raises ValueError: if ``rpcs`` names a method that the service does not have
    """
    unknown = rpcs.keys() - service.methods_by_name.keys()
    if unknown:
        raise ValueError(f"{service.full_name} has no {', '.join(sorted(unknown))}")
    return {
        method.name: Method(
            method, GetMessageClass(method.input_type), rpcs.get(method.name) or _unimplemented(method, why_not)
        )
        for method in service.methods
        if not method.client_streaming and not method.server_streaming
    }


def _unimplemented(method: MethodDescriptor, why_not: str) -> Rpc:
    text = f"{method.full_name} is not implemented by this server" + (f": {why_not}" if why_not else "")

    async def refuse(_request: Any) -> Message:
        raise Unimplemented(text)

    return refuse
