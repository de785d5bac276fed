"""How all List methods page, sort and filter (upstream's conventions), in one place.

A repository declares a :class:`Listing` once: the columns of its entity, and which other tables its filters may
reach. Everything that a client sends is checked before the database is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from flyteidl.admin.common_pb2 import Sort
from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, exists, func

from flyte_admin.db.filters import Filter, condition, is_filterable, parse_filters
from flyte_core.errors import InvalidInput

LARGEST_PAGE = 10_000
"""Rows of one page; a higher limit gives this many. Upstream's console asks for 10,000 children at once."""

_LARGEST_OFFSET = 2**63 - 1


class ListRequest(Protocol):
    """What the requests of List methods have in common; some lack ``filters``."""

    @property
    def limit(self) -> int:
        """Rows wanted."""
        ...

    @property
    def token(self) -> str:
        """Where to go on: the offset, as text."""
        ...

    @property
    def sort_by(self) -> Sort:
        """Column and direction; unset: as stored."""
        ...

    def HasField(self, field_name: Any) -> bool:
        """Tell whether a message field is set."""
        ...


@dataclass(frozen=True, slots=True)
class Join:
    """A table that filters may reach, and how its rows belong to the entity's."""

    table: FromClause
    on: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the token of the next page; empty after a page that was not full."""

    rows: Sequence[Row[Any]]
    token: str


@dataclass(frozen=True, slots=True)
class PagedQuery:
    """A checked query; :meth:`fetch` goes to :meth:`flyte_admin.db.Database.read`."""

    statement: Select[Any]
    limit: int | None
    offset: int

    def fetch(self, connection: Connection) -> Page:
        """Return the page."""
        rows = connection.execute(self.statement).all()
        full = self.limit is not None and len(rows) == self.limit
        return Page(rows, str(self.offset + len(rows)) if full else "")


@dataclass(frozen=True, slots=True)
class Listing:
    """The columns by which one entity may be listed.

    :ivar entity: its prefix in filters (``task``, ``node_execution``)
    :ivar table: its table or derived table
    :ivar joins: other prefixes that are allowed
    :ivar aliases: other prefixes that mean the entity itself
    """

    entity: str
    table: FromClause
    joins: Mapping[str, Join] = field(default_factory=dict)
    aliases: frozenset[str] = frozenset()

    def query(
        self, request: ListRequest, base: Select[Any], *, grouped: bool = False, unlimited: bool = False
    ) -> PagedQuery:
        """Return ``base`` restricted, ordered and cut as the request says.

        :param base: a select from this listing's table
        :param grouped: ``base`` is grouped; other columns are sorted by their largest value in the group
        :param unlimited: a limit of 0 means all (upstream's ListProjects), elsewhere it is refused
        :raises InvalidInput: naming what is wrong
        """
        limit = self._limit(request, unlimited=unlimited)
        offset = self._offset(request)
        statement = base.where(*self.conditions(parse_filters(getattr(request, "filters", ""))))
        statement = statement.order_by(*self._order(request, grouped=grouped))
        if limit is not None:
            statement = statement.limit(limit).offset(offset)
        return PagedQuery(statement, limit, offset)

    def conditions(self, filters: Sequence[Filter]) -> list[ColumnElement[bool]]:
        """Return the filters as conditions; those on one joined table must hold for one and the same row of it."""
        own = []
        joined: dict[str, list[ColumnElement[bool]]] = {}
        for term in filters:
            if term.entity in self.aliases or term.entity in ("", self.entity):
                own.append(condition(term, self._column(self.table, self.entity, term.field)))
            elif term.entity in self.joins:
                column = self._column(self.joins[term.entity].table, term.entity, _renamed(term))
                joined.setdefault(term.entity, []).append(condition(term, column))
            else:
                raise InvalidInput(f"'{term.entity[:256]}' entity is not allowed in filters", field="filters")
        return own + [
            exists().select_from(self.joins[entity].table).where(self.joins[entity].on, *terms)
            for entity, terms in joined.items()
        ]

    def _column(self, table: FromClause, entity: str, name: str) -> ColumnElement[Any]:
        column = table.c.get(name)
        if column is None or not is_filterable(column):
            raise InvalidInput(f"'{entity}.{name[:256]}' is invalid filter", field="filters")
        return column

    def _limit(self, request: ListRequest, *, unlimited: bool) -> int | None:
        if request.limit > 0:
            return min(request.limit, LARGEST_PAGE)
        if unlimited and request.limit == 0:
            return None
        raise InvalidInput("invalid value for limit: give the number of rows wanted, from 1", field="limit")

    def _offset(self, request: ListRequest) -> int:
        token = request.token
        if not token:
            return 0
        if not (token.isascii() and token.isdigit() and len(token) < 20 and int(token) <= _LARGEST_OFFSET):
            raise InvalidInput(
                f"invalid pagination token {token[:256]} for {self.entity}: give the token of the page before",
                field="token",
            )
        return int(token)

    def _order(self, request: ListRequest, *, grouped: bool) -> list[ColumnElement[Any]]:
        identity: ColumnElement[Any] = func.min(self.table.c.id) if grouped else self.table.c.id
        if not request.HasField("sort_by"):
            return [identity]
        column = self.table.c.get(request.sort_by.key)
        if column is None or not is_filterable(column):
            raise InvalidInput(f"invalid sort key '{request.sort_by.key[:256]}'", field="sort_by.key")
        key: ColumnElement[Any] = func.max(column) if grouped else column
        if request.sort_by.direction == Sort.ASCENDING:
            return [key.asc().nulls_last() if column.nullable else key.asc(), identity]
        return [key.desc().nulls_first() if column.nullable else key.desc(), identity.desc()]


def _renamed(term: Filter) -> str:
    """The legacy prefix ``admin_tag`` reads today's ``execution_tags``, where a tag's name is a key."""
    return "key" if term.entity in ("admin_tag", "execution_admin_tag") and term.field == "name" else term.field
