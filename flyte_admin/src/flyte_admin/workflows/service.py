"""The rules of registering and reading workflows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flyteidl.admin.common_pb2 import (
    NamedEntityIdentifierList,
    NamedEntityIdentifierListRequest,
    ObjectGetRequest,
    ResourceListRequest,
)
from flyteidl.admin.workflow_pb2 import (
    CreateWorkflowFailureReason,
    Workflow,
    WorkflowClosure,
    WorkflowCreateRequest,
    WorkflowCreateResponse,
    WorkflowErrorExistsDifferentStructure,
    WorkflowErrorExistsIdenticalStructure,
    WorkflowList,
)
from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface
from sqlalchemy import Connection, Row

from flyte_admin.db import Database
from flyte_admin.descriptions import repository as descriptions
from flyte_admin.registry.admission import Domains, check_entity_id, implied
from flyte_admin.registry.content import differences, digest
from flyte_admin.registry.rows import name_list, row_identifier
from flyte_admin.workflows.closures import ClosureStore
from flyte_admin.workflows.compilation import compile_request
from flyte_admin.workflows.references import References, read_references
from flyte_admin.workflows.repository import ROWS
from flyte_core.clock import Clock
from flyte_core.compiler import nodes_of
from flyte_core.errors import AlreadyExists, InvalidInput


class WorkflowExists(AlreadyExists):
    """The version exists with this content.

    :ivar detail: goes into the details of the gRPC status
    """

    def __init__(self, identifier: Identifier) -> None:
        super().__init__("workflow with identical structure already exists", identical=True)
        reason = WorkflowErrorExistsIdenticalStructure(id=identifier)
        self.detail = CreateWorkflowFailureReason(exists_identical_structure=reason)


class WorkflowDiffers(InvalidInput):
    """The version exists with other content.

    :ivar detail: goes into the details of the gRPC status
    """

    def __init__(self, identifier: Identifier, difference: str) -> None:
        super().__init__(
            f"{identifier.name} workflow with different structure already exists. "
            f"(Please register a new version of the workflow):\n{difference}",
            field="spec.template",
        )
        reason = WorkflowErrorExistsDifferentStructure(id=identifier)
        self.detail = CreateWorkflowFailureReason(exists_different_structure=reason)


@dataclass(frozen=True, slots=True)
class WorkflowRules:
    """The platform's say in which workflows may be registered.

    :ivar max_nodes: nodes of a workflow with its sub-workflows, at most (upstream's default is 100; 0: no bound)
    :ivar max_bytes: size of the compiled closure, at most; 0: no bound
    """

    max_nodes: int = 50_000
    max_bytes: int = 0


class WorkflowService:
    """Registers and reads workflows."""

    def __init__(
        self, database: Database, domains: Domains, closures: ClosureStore, rules: WorkflowRules, clock: Clock
    ) -> None:
        self._database = database
        self._domains = domains
        self._closures = closures
        self._rules = rules
        self._clock = clock

    async def create(self, request: WorkflowCreateRequest) -> WorkflowCreateResponse:
        """Compile and register a version of a workflow.

        :raises InvalidInput: if it does not compile (all problems at once), or exists with other content
        :raises AlreadyExists: if the version exists with this content
        """
        self._check(request)

        def look(connection: Connection) -> References:
            self._domains.require_active(connection, request.id.project, request.id.domain)
            return read_references(connection, request.spec)

        compiled = compile_request(request, await self._database.read(look))
        content = digest(compiled)
        existing = await self._database.read(lambda connection: ROWS.find(connection, request.id))
        if existing is None:
            existing = await self._add(request, compiled, content)
        if existing is not None:
            await self._refuse_second(request.id, existing, compiled, content)
        return WorkflowCreateResponse()

    def _check(self, request: WorkflowCreateRequest) -> None:
        check_entity_id(request.id, "id", ResourceType.WORKFLOW)
        if not request.spec.HasField("template"):
            raise InvalidInput("missing spec.template", field="spec.template")
        limit = self._rules.max_nodes
        if limit and sum(1 for _ in nodes_of(request.spec)) > limit:
            raise InvalidInput(
                f"the workflow has more than {limit} nodes (registration.max_workflow_nodes)", field="spec.template"
            )

    async def _add(
        self, request: WorkflowCreateRequest, compiled: CompiledWorkflowClosure, content: bytes
    ) -> Row[Any] | None:
        """Store closure and row; return the row of another request that came first, if one did."""
        now = self._clock.now()
        closure = WorkflowClosure(compiled_workflow=compiled)
        closure.created_at.FromDatetime(now)
        if 0 < self._rules.max_bytes < closure.ByteSize():
            raise InvalidInput(
                f"the compiled workflow has {closure.ByteSize()} bytes, the limit is {self._rules.max_bytes} "
                "(registration.workflow_size_limit)",
                field="spec.template",
            )
        values = {
            "typed_interface": compiled.primary.template.interface.SerializeToString(),
            "remote_closure_identifier": await self._closures.write(request.id, content, closure),
            "digest": content,
            "short_description": request.spec.description.short_description,
            "created_at": now,
        }

        def insert(connection: Connection) -> Row[Any] | None:
            existing = ROWS.find(connection, request.id)
            if existing is None:
                ROWS.insert(connection, request.id, values)
                if request.spec.HasField("description"):
                    descriptions.add(connection, request.id, request.spec.description)
            return existing

        return await self._database.write(insert)

    async def _refuse_second(
        self, identifier: Identifier, existing: Row[Any], compiled: CompiledWorkflowClosure, content: bytes
    ) -> None:
        if existing.digest == content:
            raise WorkflowExists(identifier)
        stored = await self._closures.read(existing.remote_closure_identifier)
        raise WorkflowDiffers(identifier, differences(stored.compiled_workflow, compiled))

    async def get(self, request: ObjectGetRequest) -> Workflow:
        """Return one version with its compiled closure.

        :raises NotFound: if there is no such version
        :raises Unavailable: if the object store does not answer
        """
        identifier = implied(request.id, ResourceType.WORKFLOW)
        row = await self._database.read(lambda connection: ROWS.get(connection, identifier))
        closure = await self._closures.read(row.remote_closure_identifier)
        return Workflow(
            id=row_identifier(row, ResourceType.WORKFLOW), closure=closure, short_description=row.short_description
        )

    async def list(self, request: ResourceListRequest) -> WorkflowList:
        """Return a page of versions, of one name or of all names; without nodes, which are in the object store."""
        page = await self._database.read(ROWS.page(request).fetch)
        return WorkflowList(workflows=[_without_nodes(row) for row in page.rows], token=page.token)

    async def list_ids(self, request: NamedEntityIdentifierListRequest) -> NamedEntityIdentifierList:
        """Return a page of names."""
        return name_list(await self._database.read(ROWS.names(request).fetch))


def _without_nodes(row: Row[Any]) -> Workflow:
    identifier = row_identifier(row, ResourceType.WORKFLOW)
    workflow = Workflow(id=identifier, short_description=row.short_description)
    workflow.closure.created_at.FromDatetime(row.created_at)
    template = workflow.closure.compiled_workflow.primary.template
    template.id.CopyFrom(identifier)
    template.interface.CopyFrom(TypedInterface.FromString(row.typed_interface))
    return workflow
