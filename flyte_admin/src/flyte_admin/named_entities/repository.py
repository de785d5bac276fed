"""All queries on named entities: the distinct names of tasks, workflows and launch plans, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.admin.common_pb2 import NamedEntityListRequest, NamedEntityMetadata
from flyteidl.core.identifier_pb2 import ResourceType
from sqlalchemy import Connection, Row, Select, Subquery, Table, and_, func, insert, select, update

from flyte_admin.db.filters import parse_filters
from flyte_admin.db.listing import Listing, PagedQuery
from flyte_admin.db.schema import launch_plans, named_entity_metadata, tasks, workflows

TABLES: Mapping[int, Table] = {
    ResourceType.TASK: tasks,
    ResourceType.WORKFLOW: workflows,
    ResourceType.LAUNCH_PLAN: launch_plans,
}
"""The types that have named entities."""

GENERATED_PREFIX = ".flytegen."
"""Start of the names that the platform makes for tasks which are launched by themselves."""

_NAME = ("project", "domain", "name")


def find(connection: Connection, resource_type: int, project: str, domain: str, name: str) -> Row[Any] | None:
    """Return the named entity, None if nothing of that name is registered."""
    names = _names(TABLES[resource_type], project, domain, name)
    return connection.execute(_entities(resource_type, names)).one_or_none()


def page(request: NamedEntityListRequest) -> PagedQuery:
    """Return the query of a list; without any filter the platform's own names are left out (upstream's rule)."""
    names = _names(TABLES[request.resource_type], request.project, request.domain)
    derived = _entities(request.resource_type, names).subquery("entities")
    statement = select(derived)
    if not parse_filters(request.filters):
        statement = statement.where(derived.c.name.not_like(f"{GENERATED_PREFIX}%"))
    aliases = frozenset({"named_entity_metadata", "task", "workflow", "launch_plan"})
    return Listing("entities", derived, aliases=aliases).query(request, statement)


def write(connection: Connection, resource_type: int, name: Mapping[str, str], metadata: NamedEntityMetadata) -> None:
    """Write description and state of a name.

    :param name: ``project``, ``domain`` and ``name``
    """
    table = named_entity_metadata
    values = {"description": metadata.description, "state": metadata.state}
    matches = [table.c[part] == name[part] for part in _NAME]
    matches.append(table.c.resource_type == resource_type)
    if connection.execute(update(table).where(*matches).values(values)).rowcount == 0:
        connection.execute(insert(table), {"resource_type": resource_type, **name, **values})


def _names(table: Table, project: str, domain: str, name: str | None = None) -> Subquery:
    columns = [table.c[part] for part in _NAME]
    statement = select(
        *columns,
        func.min(table.c.id).label("id"),
        func.max(table.c.created_at).label("created_at"),
        func.max(table.c.updated_at).label("updated_at"),
    ).where(table.c.project == project, table.c.domain == domain)
    if name is not None:
        statement = statement.where(table.c.name == name)
    return statement.group_by(*columns).subquery("names")


def _entities(resource_type: int, names: Subquery) -> Select[Any]:
    table = named_entity_metadata
    on = and_(table.c.resource_type == resource_type, *(table.c[part] == names.c[part] for part in _NAME))
    return select(
        names,
        func.coalesce(table.c.description, "").label("description"),
        func.coalesce(table.c.state, 0).label("state"),
    ).join_from(names, table, on, isouter=True)
