"""The rules of named entities."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import (
    NamedEntity,
    NamedEntityGetRequest,
    NamedEntityIdentifier,
    NamedEntityList,
    NamedEntityListRequest,
    NamedEntityMetadata,
    NamedEntityState,
    NamedEntityUpdateRequest,
    NamedEntityUpdateResponse,
)
from flyteidl.core.identifier_pb2 import ResourceType
from sqlalchemy import Connection, Row

from flyte_admin.db import Database
from flyte_admin.named_entities import repository
from flyte_admin.registry.rows import check_scope
from flyte_core.errors import InvalidInput, NotFound
from flyte_core.identifiers import check_identifier

LONGEST_DESCRIPTION = 300


class NamedEntityService:
    """Reads, lists and describes names."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, request: NamedEntityGetRequest) -> NamedEntity:
        """Return a name's description and state.

        :raises NotFound: if nothing of that type and name is registered
        """
        _check_type(request.resource_type)
        check_identifier(request.id, "id")
        row = await self._database.read(lambda connection: _find(connection, request.resource_type, request.id))
        return _message(request.resource_type, row)

    async def list(self, request: NamedEntityListRequest) -> NamedEntityList:
        """Return a page of names of one type."""
        _check_type(request.resource_type)
        check_scope(request.project, request.domain)
        page = await self._database.read(repository.page(request).fetch)
        return NamedEntityList(entities=[_message(request.resource_type, row) for row in page.rows], token=page.token)

    async def update(self, request: NamedEntityUpdateRequest) -> NamedEntityUpdateResponse:
        """Write a name's description and state.

        :raises NotFound: if nothing of that type and name is registered
        """
        _check_type(request.resource_type)
        check_identifier(request.id, "id")
        _check_metadata(request.metadata)

        def change(connection: Connection) -> None:
            row = _find(connection, request.resource_type, request.id)
            name = {"project": row.project, "domain": row.domain, "name": row.name}
            repository.write(connection, request.resource_type, name, request.metadata)

        await self._database.write(change)
        return NamedEntityUpdateResponse()


def _check_type(resource_type: int) -> None:
    if resource_type not in repository.TABLES:
        raise InvalidInput(
            "invalid value for resource_type: it must be TASK, WORKFLOW or LAUNCH_PLAN", field="resource_type"
        )


def _check_metadata(metadata: NamedEntityMetadata) -> None:
    if metadata.state not in NamedEntityState.values():
        raise InvalidInput(f"invalid value for metadata.state: {metadata.state}", field="metadata.state")
    if len(metadata.description) > LONGEST_DESCRIPTION:
        raise InvalidInput(
            f"metadata.description cannot exceed {LONGEST_DESCRIPTION} characters", field="metadata.description"
        )


def _find(connection: Connection, resource_type: int, name: NamedEntityIdentifier) -> Row[Any]:
    row = repository.find(connection, resource_type, name.project, name.domain, name.name)
    if row is None:
        kind = ResourceType.Name(resource_type)
        raise NotFound(
            f'missing entity of type {kind} with identifier project:"{name.project}" domain:"{name.domain}" '
            f'name:"{name.name}"'
        )
    return row


def _message(resource_type: ResourceType.ValueType, row: Row[Any]) -> NamedEntity:
    return NamedEntity(
        resource_type=resource_type,
        id=NamedEntityIdentifier(project=row.project, domain=row.domain, name=row.name),
        metadata=NamedEntityMetadata(description=row.description, state=row.state),
    )
