"""Writes the table of RPCs in docs/explanation/compatibility.md: asks a running control plane for every method."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import grpc
from flyteidl.datacatalog import datacatalog_pb2
from flyteidl.service import admin_pb2, auth_pb2, dataproxy_pb2, identity_pb2, signal_pb2
from generated import main, table
from google.protobuf.descriptor import ServiceDescriptor

from flyte_admin.app import AdminApp, AdminPorts
from flyte_admin.settings import AdminSettings, DatabaseSettings, ServerSettings, StorageSettings
from flyte_core.builtin.file_store import FileStore
from flyte_core.testing.memory_cluster import MemoryCluster
from flyte_propeller.graph_reader import SUPPORTED_KINDS

SERVICES = (
    (admin_pb2, "AdminService"),
    (dataproxy_pb2, "DataProxyService"),
    (signal_pb2, "SignalService"),
    (datacatalog_pb2, "DataCatalog"),
    (auth_pb2, "AuthMetadataService"),
    (identity_pb2, "IdentityService"),
)
KINDS = ("start", "end", "task", "branch", "workflow", "gate", "array")
"""Node kinds of a FlyteWorkflow, in upstream's words."""


async def answers(services: list[ServiceDescriptor]) -> dict[str, bool]:
    """Return for every method whether a control plane answers it with something other than UNIMPLEMENTED."""
    with tempfile.TemporaryDirectory() as folder:
        settings = AdminSettings(
            DatabaseSettings(f"sqlite:///{folder}/admin.db"),
            StorageSettings("s3://flyte"),
            ServerSettings("127.0.0.1:0", "127.0.0.1:0"),
        )
        store = FileStore(Path(folder) / "objects", "s3://flyte")
        app = await AdminApp.start(settings, AdminPorts(store, MemoryCluster()))
        try:
            async with grpc.aio.insecure_channel(app.grpc_address) as channel:
                return {
                    method.full_name: await served(channel, f"/{service.full_name}/{method.name}")
                    for service in services
                    for method in service.methods
                }
        finally:
            await app.stop(0)
            store.close()


def as_bytes(message: bytes) -> bytes:
    """Serialize what is bytes already: an empty request is the same for every method."""
    return message


async def served(channel: grpc.aio.Channel, path: str) -> bool:
    """Tell whether the method is there: an empty request is answered, or refused for its content."""
    try:
        await channel.unary_unary(path, request_serializer=as_bytes, response_deserializer=as_bytes)(b"", timeout=20)
    except grpc.aio.AioRpcError as error:
        return error.code() is not grpc.StatusCode.UNIMPLEMENTED
    return True


def section(service: ServiceDescriptor, found: dict[str, bool]) -> str:
    """Return one service: what is served, what is not."""
    there = [f"`{method.name}`" for method in service.methods if found[method.full_name]]
    missing = [f"`{method.name}`" for method in service.methods if not found[method.full_name]]
    rows = [
        ("served", str(len(there)), ", ".join(there) or "–"),
        ("not served", str(len(missing)), ", ".join(missing) or "–"),
    ]
    return f"### {service.name}\n\n{table(('', 'RPCs', 'names'), rows)}"


if __name__ == "__main__":
    descriptors = [module.DESCRIPTOR.services_by_name[name] for module, name in SERVICES]
    found = asyncio.run(answers(descriptors))
    kinds = [(f"`{kind}`", "runs" if kind in SUPPORTED_KINDS else "does not run") for kind in KINDS]
    parts = {
        "rpcs": "\n\n".join(section(service, found) for service in descriptors),
        "kinds": table(("node kind", "on this data plane"), kinds),
    }
    sys.exit(main("explanation/compatibility.md", parts))
