"""The project and domain of an execution: that they may be used, and what they say about executions in them."""

from __future__ import annotations

from sqlalchemy import Connection

from flyte_admin.db.database import Database
from flyte_admin.executions.sources import ProjectDefaults
from flyte_admin.projects import repository
from flyte_admin.registry.admission import Domains


class StoredProjects:
    """A :data:`flyte_admin.executions.sources.CheckProject` over the table of projects."""

    def __init__(self, database: Database, domains: Domains) -> None:
        self._database = database
        self._domains = domains

    async def check(self, project: str, domain: str) -> ProjectDefaults:
        """Return the project's labels.

        :raises InvalidInput: if the project is not registered or not active, or the domain is unknown
        """
        return await self._database.read(lambda connection: self._read(connection, project, domain))

    def _read(self, connection: Connection, project: str, domain: str) -> ProjectDefaults:
        self._domains.require_active(connection, project, domain)
        row = repository.find(connection, project)
        labels = repository.labels(row).values if row is not None else {}
        return ProjectDefaults(labels=tuple(sorted(labels.items())))
