"""Reading descriptions; they are written while their entity is registered."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.description_entity_pb2 import (
    Description,
    DescriptionEntity,
    DescriptionEntityList,
    DescriptionEntityListRequest,
)
from sqlalchemy import Row

from flyte_admin.db import Database
from flyte_admin.descriptions import repository
from flyte_admin.registry.rows import missing, row_identifier
from flyte_core.identifiers import check_identifier


class DescriptionService:
    """Gets and lists descriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, request: ObjectGetRequest) -> DescriptionEntity:
        """Return the description of one version of an entity.

        :raises NotFound: if it has none
        """
        check_identifier(request.id, "id")
        row = await self._database.read(lambda connection: repository.find(connection, request.id))
        if row is None:
            raise missing("DESCRIPTION", request.id)
        return _message(row)

    async def list(self, request: DescriptionEntityListRequest) -> DescriptionEntityList:
        """Return a page of descriptions."""
        page = await self._database.read(repository.page(request).fetch)
        return DescriptionEntityList(descriptionEntities=[_message(row) for row in page.rows], token=page.token)


def _message(row: Row[Any]) -> DescriptionEntity:
    description = DescriptionEntity(
        id=row_identifier(row, row.resource_type),
        short_description=row.short_description,
        long_description=Description.FromString(row.long_description or b""),
    )
    description.source_code.link = row.link
    return description
