"""The rules of registering and reading tasks."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import (
    NamedEntityIdentifierList,
    NamedEntityIdentifierListRequest,
    ObjectGetRequest,
    ResourceListRequest,
)
from flyteidl.admin.task_pb2 import Task, TaskClosure, TaskCreateRequest, TaskCreateResponse, TaskList
from flyteidl.core.compiler_pb2 import CompiledTask
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.tasks_pb2 import TaskTemplate
from sqlalchemy import Connection, Row

from flyte_admin.db import Database
from flyte_admin.descriptions import repository as descriptions
from flyte_admin.registry.admission import Domains, implied
from flyte_admin.registry.content import differences, digest
from flyte_admin.registry.rows import name_list, row_identifier
from flyte_admin.tasks.repository import ROWS
from flyte_admin.tasks.validation import TaskRules, check_task
from flyte_core.clock import Clock
from flyte_core.compiler import CompileErrors, compile_task
from flyte_core.errors import AlreadyExists, InvalidInput


class TaskService:
    """Registers and reads tasks."""

    def __init__(self, database: Database, domains: Domains, rules: TaskRules, clock: Clock) -> None:
        self._database = database
        self._domains = domains
        self._rules = rules
        self._clock = clock

    async def create(self, request: TaskCreateRequest) -> TaskCreateResponse:
        """Register a version of a task.

        :raises InvalidInput: if the task is malformed, or the version exists with other content (says what differs)
        :raises AlreadyExists: if the version exists with this content
        """
        check_task(request, self._rules)
        closure = TaskClosure(compiled_task=_compile(request))
        closure.created_at.FromDatetime(self._clock.now())
        content = digest(closure.compiled_task)

        def add(connection: Connection) -> Row[Any] | None:
            self._domains.require_active(connection, request.id.project, request.id.domain)
            existing = ROWS.find(connection, request.id)
            if existing is None:
                values = {
                    "closure": closure.SerializeToString(),
                    "digest": content,
                    "type": request.spec.template.type,
                    "short_description": request.spec.description.short_description,
                    "created_at": self._clock.now(),
                }
                ROWS.insert(connection, request.id, values)
                if request.spec.HasField("description"):
                    descriptions.add(connection, request.id, request.spec.description)
            return existing

        existing = await self._database.write(add)
        if existing is not None:
            _refuse_second(request.id.name, existing, closure, content)
        return TaskCreateResponse()

    async def get(self, request: ObjectGetRequest) -> Task:
        """Return one version of a task.

        :raises NotFound: if there is no such version
        """
        identifier = implied(request.id, ResourceType.TASK)
        row = await self._database.read(lambda connection: ROWS.get(connection, identifier))
        return _message(row)

    async def list(self, request: ResourceListRequest) -> TaskList:
        """Return a page of versions, of one name or of all names in a project and domain."""
        page = await self._database.read(ROWS.page(request).fetch)
        return TaskList(tasks=[_message(row) for row in page.rows], token=page.token)

    async def list_ids(self, request: NamedEntityIdentifierListRequest) -> NamedEntityIdentifierList:
        """Return a page of names."""
        return name_list(await self._database.read(ROWS.names(request).fetch))


def _compile(request: TaskCreateRequest) -> CompiledTask:
    """Compile the template under the request's identifier, whatever it says itself."""
    template = TaskTemplate()
    template.CopyFrom(request.spec.template)
    template.id.CopyFrom(request.id)
    try:
        return compile_task(template)
    except CompileErrors as error:
        raise InvalidInput(f"failed to compile task {request.id.name}: {error}", field="spec.template") from error


def _refuse_second(name: str, existing: Row[Any], closure: TaskClosure, content: bytes) -> None:
    if existing.digest == content:
        raise AlreadyExists("task with identical structure already exists", identical=True)
    stored = TaskClosure.FromString(existing.closure)
    raise InvalidInput(
        f"{name} task with different structure already exists. (Please register a new version of the task):\n"
        + differences(stored.compiled_task, closure.compiled_task),
        field="spec.template",
    )


def _message(row: Row[Any]) -> Task:
    return Task(
        id=row_identifier(row, ResourceType.TASK),
        closure=TaskClosure.FromString(row.closure),
        short_description=row.short_description,
    )
