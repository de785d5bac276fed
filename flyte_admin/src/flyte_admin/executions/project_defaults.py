"""The project and domain of an execution: that they may be used, and what they say about executions in them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from flyte_admin.db.database import Database
from flyte_admin.executions.batching import Batcher
from flyte_admin.executions.sources import ProjectDefaults
from flyte_admin.projects import repository
from flyte_admin.registry.admission import Domains
from flyte_core.errors import InvalidInput


class StoredProjects:
    """A :data:`flyte_admin.executions.sources.CheckProject` over the table of projects."""

    def __init__(self, database: Database, domains: Domains) -> None:
        self._database = database
        self._domains = domains
        self._checks = Batcher(self._answer)

    async def check(self, project: str, domain: str) -> ProjectDefaults:
        """Return the project's labels.

        :raises InvalidInput: if the project is not registered or not active, or the domain is unknown
        """
        found = await self._checks.put((project, domain))
        if isinstance(found, InvalidInput):
            raise found
        return found

    async def _answer(self, asked: Sequence[tuple[str, str]]) -> list[ProjectDefaults | InvalidInput]:
        distinct = dict.fromkeys(asked)
        found = await self._database.read(lambda connection: {each: self._read(connection, *each) for each in distinct})
        return [found[each] for each in asked]

    def _read(self, connection: Connection, project: str, domain: str) -> ProjectDefaults | InvalidInput:
        try:
            self._domains.require_active(connection, project, domain)
        except InvalidInput as refusal:
            return refusal
        row = repository.find(connection, project)
        labels = repository.labels(row).values if row is not None else {}
        return ProjectDefaults(labels=tuple(sorted(labels.items())))
