"""The rules of projects and domains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flyteidl.admin.project_pb2 import (
    Domain,
    GetDomainsResponse,
    Project,
    ProjectListRequest,
    ProjectRegisterRequest,
    ProjectRegisterResponse,
    Projects,
    ProjectUpdateResponse,
)
from sqlalchemy import Connection, Row

from flyte_admin.db import Database
from flyte_admin.projects import repository
from flyte_admin.registry.admission import Domains, check_labels
from flyte_core.errors import AlreadyExists, InvalidInput, NotFound
from flyte_core.identifiers import check_name

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 300

_PROJECT_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class ProjectService:
    """Registers, changes and lists projects; lists domains, which are configuration."""

    def __init__(self, database: Database, domains: Domains) -> None:
        self._database = database
        self._domains = domains

    async def seed(self, identifiers: Sequence[str]) -> None:
        """Register those of the projects that do not exist yet."""
        for identifier in identifiers:
            project = Project(id=identifier, name=identifier, description=f"{identifier} description")
            _check(project)

            def add(connection: Connection, project: Project = project) -> None:
                if repository.find(connection, project.id) is None:
                    repository.add(connection, project)

            await self._database.write(add)

    async def register(self, request: ProjectRegisterRequest) -> ProjectRegisterResponse:
        """Register a project.

        :raises InvalidInput: if id, name, description or labels are malformed, or domains are given
        :raises AlreadyExists: if the id is taken
        """
        project = request.project
        _check(project)
        if project.domains:
            raise InvalidInput(
                "domains are currently only set system wide. Please retry without domains included in your request.",
                field="project.domains",
            )

        def add(connection: Connection) -> None:
            if repository.find(connection, project.id) is not None:
                raise AlreadyExists(f"project [{project.id}] already exists")
            repository.add(connection, project)

        await self._database.write(add)
        return ProjectRegisterResponse()

    async def update(self, project: Project) -> ProjectUpdateResponse:
        """Replace name, description, labels and state of a project.

        :raises NotFound: if there is no such project
        """
        _check(project)
        if not await self._database.write(lambda connection: repository.replace(connection, project)):
            raise _missing(project.id)
        return ProjectUpdateResponse()

    async def get(self, identifier: str) -> Project:
        """Return a project, with the system's domains.

        :raises NotFound: if there is no such project
        """
        check_name(identifier, "id")
        row = await self._database.read(lambda connection: repository.find(connection, identifier))
        if row is None:
            raise _missing(identifier)
        return self._message(row)

    async def list(self, request: ProjectListRequest) -> Projects:
        """Return a page of projects; a limit of 0 means all of them."""
        page = await self._database.read(repository.page(request).fetch)
        return Projects(projects=[self._message(row) for row in page.rows], token=page.token)

    def domains(self) -> GetDomainsResponse:
        """Return the system's domains."""
        return GetDomainsResponse(domains=self._domain_messages())

    def _domain_messages(self) -> Sequence[Domain]:
        return [Domain(id=identifier, name=name) for identifier, name in self._domains.names.items()]

    def _message(self, row: Row[Any]) -> Project:
        return Project(
            id=row.identifier,
            name=row.name,
            description=row.description,
            labels=repository.labels(row),
            state=row.state,
            domains=self._domain_messages(),
        )


def _check(project: Project) -> None:
    if not project.id:
        raise InvalidInput("missing project.id", field="project.id")
    if not _PROJECT_ID.fullmatch(project.id):
        raise InvalidInput(
            f"invalid project id [{project.id[:256]}]: 1 to 63 lower-case letters, digits and '-'", field="project.id"
        )
    for field, limit in (("name", LONGEST_NAME), ("description", LONGEST_DESCRIPTION)):
        length = len(getattr(project, field))
        if length > limit:
            raise InvalidInput(
                f"project_{field} cannot exceed {limit} characters, this one has {length}", field=f"project.{field}"
            )
    if project.state not in Project.ProjectState.values():
        raise InvalidInput(f"invalid value for project.state: {project.state}", field="project.state")
    check_labels(project.labels.values, "project.labels")


def _missing(identifier: str) -> NotFound:
    return NotFound(f"project [{identifier[:256]}] not found")
