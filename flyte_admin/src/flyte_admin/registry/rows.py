"""Queries that the tables of tasks, workflows and launch plans share: they have the same four-part key."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import NamedEntityIdentifier, NamedEntityIdentifierList, NamedEntityIdentifierListRequest
from flyteidl.core.identifier_pb2 import Identifier
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, insert, select

from flyte_admin.db.listing import Listing, Page, PagedQuery
from flyte_core.errors import NotFound
from flyte_core.identifiers import check_name

KEY = ("project", "domain", "name", "version")


class EntityRows:
    """The rows of one kind of entity.

    :param listing: of its table
    :param kind: upstream's name for messages (``TASK``)
    """

    def __init__(self, listing: Listing, table: Table, kind: str) -> None:
        self.listing = listing
        self.table = table
        self.kind = kind
        self._find = select(table).where(*(table.c[part] == bindparam(part) for part in KEY))
        self._insert = insert(table).returning(table.c.id)

    def find(self, connection: Connection, identifier: Identifier) -> Row[Any] | None:
        """Return the row of that version, None if there is none."""
        return connection.execute(self._find, _key(identifier)).one_or_none()

    def get(self, connection: Connection, identifier: Identifier) -> Row[Any]:
        """Return the row of that version.

        :raises NotFound: with upstream's text
        """
        row = self.find(connection, identifier)
        if row is None:
            raise missing(self.kind, identifier)
        return row

    def insert(self, connection: Connection, identifier: Identifier, values: dict[str, Any]) -> int:
        """Insert a row and return its id."""
        row_id: int = connection.execute(self._insert, {**_key(identifier), **values}).scalar_one()
        return row_id

    def page(self, request: Any, *conditions: ColumnElement[bool]) -> PagedQuery:
        """Return the query of a ``ResourceListRequest``: versions of one name, or of all names.

        :raises InvalidInput: if project or domain is missing, or the list conventions are not kept
        """
        return self.listing.query(request, self._within(select(self.table), request.id).where(*conditions))

    def names(self, request: NamedEntityIdentifierListRequest) -> PagedQuery:
        """Return the query of the distinct names in a project and domain."""
        columns = [self.table.c[part] for part in KEY[:3]]
        scope = NamedEntityIdentifier(project=request.project, domain=request.domain)
        return self.listing.query(request, self._within(select(*columns), scope).group_by(*columns), grouped=True)

    def _within(self, statement: Select[Any], scope: NamedEntityIdentifier) -> Select[Any]:
        check_scope(scope.project, scope.domain)
        statement = statement.where(self.table.c.project == scope.project, self.table.c.domain == scope.domain)
        return statement.where(self.table.c.name == scope.name) if scope.name else statement


def check_scope(project: str, domain: str) -> None:
    """Refuse a list request without project or domain."""
    for field, value in (("id.project", project), ("id.domain", domain)):
        check_name(value, field)


def name_list(page: Page) -> NamedEntityIdentifierList:
    """Return a page of names as its message."""
    names = [NamedEntityIdentifier(project=row.project, domain=row.domain, name=row.name) for row in page.rows]
    return NamedEntityIdentifierList(entities=names, token=page.token)


def row_identifier(row: Row[Any], resource_type: int) -> Identifier:
    """Return the identifier of a row of an entity."""
    return Identifier(
        resource_type=resource_type,
        project=row.project,
        domain=row.domain,
        name=row.name,
        version=row.version,
    )


def missing(kind: str, identifier: Identifier) -> NotFound:
    """Return upstream's error for an entity that does not exist."""
    parts = " ".join(f'{part}:"{getattr(identifier, part)}"' for part in KEY)
    return NotFound(f"missing entity of type {kind} with identifier resource_type:{kind} {parts}")


def _key(identifier: Identifier) -> dict[str, str]:
    return {part: getattr(identifier, part) for part in KEY}
