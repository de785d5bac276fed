"""Descriptions and states of names, all versions of a task, workflow or launch plan together."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import (
    NamedEntityGetRequest,
    NamedEntityIdentifier,
    NamedEntityMetadata,
    NamedEntityState,
    NamedEntityUpdateRequest,
)
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.options.urns import NOUNS
from flyte_cli.registered.changes import Manner, change


def update_entity(
    stub: AdminServiceStub, named: Identifier, manner: Manner, *, description: str | None, archived: bool | None
) -> None:
    """Change what is given; see :func:`flyte_cli.registered.changes.change`.

    :param named: its version does not count
    :param description: None leaves it
    :param archived: None leaves it
    """
    kind = named.resource_type
    identifier = NamedEntityIdentifier(project=named.project, domain=named.domain, name=named.name)
    found = stub.GetNamedEntity(NamedEntityGetRequest(resource_type=kind, id=identifier), timeout=CALL_SECONDS)
    metadata = NamedEntityMetadata()
    metadata.CopyFrom(found.metadata)
    if description is not None:
        metadata.description = description
    if archived is not None:
        metadata.state = NamedEntityState.NAMED_ENTITY_ARCHIVED if archived else NamedEntityState.NAMED_ENTITY_ACTIVE
    request = NamedEntityUpdateRequest(resource_type=kind, id=identifier, metadata=metadata)
    change(
        f"{NOUNS[kind]} {named.name}",
        _data(found.metadata),
        _data(metadata),
        lambda: stub.UpdateNamedEntity(request, timeout=CALL_SECONDS),
        manner,
    )


def _data(metadata: NamedEntityMetadata) -> dict[str, Any]:
    return {"description": metadata.description, "state": NamedEntityState.Name(metadata.state)}
