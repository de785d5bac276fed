"""All queries on projects."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import Labels
from flyteidl.admin.project_pb2 import Project, ProjectListRequest
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from flyte_admin.db.filters import parse_filters
from flyte_admin.db.listing import Listing, PagedQuery
from flyte_admin.db.schema import projects

LISTING = Listing("project", projects)

_FIND = select(projects).where(projects.c.identifier == bindparam("identifier"))


def find(connection: Connection, identifier: str) -> Row[Any] | None:
    """Return the project's row, None if there is none."""
    return connection.execute(_FIND, {"identifier": identifier}).one_or_none()


def add(connection: Connection, project: Project) -> None:
    """Insert the project; a second one of the id is refused by the database."""
    connection.execute(insert(projects), {"identifier": project.id, **_values(project)})


def replace(connection: Connection, project: Project) -> bool:
    """Write name, description, labels and state; tell whether the project exists."""
    statement = update(projects).where(projects.c.identifier == project.id).values(_values(project))
    return connection.execute(statement).rowcount == 1


def page(request: ProjectListRequest) -> PagedQuery:
    """Return the query of a list: active ones unless a filter speaks of the state, by id unless it says otherwise."""
    statement = select(projects)
    if not any(term.field == "state" for term in parse_filters(request.filters)):
        statement = statement.where(projects.c.state == Project.ProjectState.ACTIVE)
    if not request.HasField("sort_by"):
        statement = statement.order_by(projects.c.identifier)
    return LISTING.query(request, statement, unlimited=True)


def labels(row: Row[Any]) -> Labels:
    """Return the labels stored with a project."""
    return Project.FromString(row.labels or b"").labels


def _values(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "description": project.description,
        "labels": Project(labels=project.labels).SerializeToString(deterministic=True),
        "state": project.state,
    }
