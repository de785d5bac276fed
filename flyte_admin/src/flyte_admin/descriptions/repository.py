"""All queries on descriptions."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.description_entity_pb2 import DescriptionEntity, DescriptionEntityListRequest
from flyteidl.core.identifier_pb2 import Identifier
from sqlalchemy import Connection, Row, bindparam, insert, select

from flyte_admin.db.listing import Listing, PagedQuery
from flyte_admin.db.schema import description_entities
from flyte_admin.registry.rows import KEY, check_scope

LISTING = Listing("description_entity", description_entities)

_FIND = select(description_entities).where(
    *(description_entities.c[part] == bindparam(part) for part in ("resource_type", *KEY))
)


def find(connection: Connection, identifier: Identifier) -> Row[Any] | None:
    """Return the description of an entity's version, None if there is none."""
    key = {part: getattr(identifier, part) for part in ("resource_type", *KEY)}
    return connection.execute(_FIND, key).one_or_none()


def add(connection: Connection, identifier: Identifier, description: DescriptionEntity) -> None:
    """Insert the description of an entity that is registered in the same transaction."""
    values = {
        **{part: getattr(identifier, part) for part in ("resource_type", *KEY)},
        "short_description": description.short_description,
        "long_description": description.long_description.SerializeToString(),
        "link": description.source_code.link,
    }
    connection.execute(insert(description_entities), values)


def page(request: DescriptionEntityListRequest) -> PagedQuery:
    """Return the query of a list: of one name, or of all names of a project and domain."""
    check_scope(request.id.project, request.id.domain)
    table = description_entities
    statement = select(table).where(
        table.c.resource_type == request.resource_type,
        table.c.project == request.id.project,
        table.c.domain == request.id.domain,
    )
    if request.id.name:
        statement = statement.where(table.c.name == request.id.name)
    return LISTING.query(request, statement)
