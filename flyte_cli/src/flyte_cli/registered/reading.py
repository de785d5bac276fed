"""Reads what is registered: one version, or all of a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ObjectGetRequest, ResourceListRequest, Sort
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.client.paging import pages
from flyte_cli.options.urns import NOUNS, urn
from flyte_core.errors import NotFound

NEWEST_FIRST = Sort(key="created_at", direction=Sort.DESCENDING)


def list_method(stub: AdminServiceStub, kind: int) -> tuple[Any, str]:
    """Return the List method of a resource type, and the field of its answer that holds the rows."""
    return {
        ResourceType.TASK: (stub.ListTasks, "tasks"),
        ResourceType.WORKFLOW: (stub.ListWorkflows, "workflows"),
        ResourceType.LAUNCH_PLAN: (stub.ListLaunchPlans, "launch_plans"),
    }[ResourceType.ValueType(kind)]


def get_entity(stub: AdminServiceStub, identifier: Identifier) -> Any:
    """Return what is registered under an identifier, whole.

    :raises flyte_core.errors.NotFound: if nothing is
    """
    method = {
        ResourceType.TASK: stub.GetTask,
        ResourceType.WORKFLOW: stub.GetWorkflow,
        ResourceType.LAUNCH_PLAN: stub.GetLaunchPlan,
    }[identifier.resource_type]
    try:
        return method(ObjectGetRequest(id=identifier), timeout=CALL_SECONDS)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        listing = f"`flyte get {_plural(identifier)} {identifier.name}`"
        raise NotFound(f"{urn(identifier)}: it is not registered; {listing} lists the versions that are") from error


def versions(stub: AdminServiceStub, identifier: Identifier, limit: int | None = None) -> Iterator[Any]:
    """Yield the versions of one name, newest first; lists leave the body of a workflow out."""
    method, field = list_method(stub, identifier.resource_type)
    where = NamedEntityIdentifier(project=identifier.project, domain=identifier.domain, name=identifier.name)
    return pages(method, ResourceListRequest(id=where, sort_by=NEWEST_FIRST), field, limit)


def find_entity(stub: AdminServiceStub, identifier: Identifier) -> Any:
    """Return one version whole: the newest where the identifier names none.

    :raises flyte_core.errors.NotFound: if nothing of that name is registered
    """
    if identifier.version:
        return get_entity(stub, identifier)
    newest = next(versions(stub, identifier, 1), None)
    if newest is None:
        listing = f"`flyte get {_plural(identifier)}`"
        raise NotFound(f"{urn(identifier)}: no version of it is registered; {listing} lists what is")
    return get_entity(stub, newest.id)


def _plural(identifier: Identifier) -> str:
    """Return the kind as commands spell it."""
    return f"{NOUNS[identifier.resource_type].replace(' ', '-')}s"
