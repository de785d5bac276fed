"""Executions: creating them in every way, reading them, terminating and archiving them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from flyteidl.admin.execution_pb2 import (
    ExecutionCreateRequest,
    ExecutionCreateResponse,
    ExecutionMetadata,
    ExecutionRecoverRequest,
    ExecutionRelaunchRequest,
    ExecutionSpec,
    ExecutionState,
    ExecutionTerminateRequest,
    ExecutionTerminateResponse,
    ExecutionUpdateRequest,
    ExecutionUpdateResponse,
)
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from sqlalchemy import select

from flyte_admin.db.database import Database
from flyte_admin.db.schema import executions
from flyte_admin.executions.batching import Batcher
from flyte_admin.executions.data import DataReader
from flyte_admin.executions.execution_config import LaunchSettings
from flyte_admin.executions.identify import execution_condition, missing_execution
from flyte_admin.executions.launch import (
    Launch,
    LaunchBasis,
    check_create_request,
    decide_launch,
    named,
    relaunch_request,
)
from flyte_admin.executions.lifecycle import set_state, terminate
from flyte_admin.executions.sources import CheckProject, LaunchSources
from flyte_admin.executions.submission import Origin, Submission, already_exists, read_origin, submit_all
from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists, InvalidInput, TooLarge
from flyte_core.identifiers import check_execution_name, check_identifier
from flyte_core.paths import join
from flyte_core.storage import BlobStore


@dataclass(frozen=True, slots=True)
class ExecutionPorts:
    """What :class:`ExecutionService` works with.

    :ivar metadata_prefix: URI of the control plane's execution data (upstream: ``{container}/metadata``)
    :ivar wake_dispatcher: called after each commit that left work in the outbox of workflows
    :ivar accepting: watches one acceptance, from its start to its end
    """

    database: Database
    store: BlobStore
    sources: LaunchSources
    check_project: CheckProject
    clock: Clock
    metadata_prefix: str
    wake_dispatcher: Callable[[], None]
    accepting: Callable[[], AbstractContextManager[None]] = nullcontext


class ExecutionService:
    """Writes executions. Reading them is :class:`flyte_admin.executions.reading.ExecutionReader`'s."""

    def __init__(self, ports: ExecutionPorts, settings: LaunchSettings, data: DataReader) -> None:
        self._ports = ports
        self._settings = settings
        self._data = data
        self._submissions = Batcher(self._submit)

    async def _submit(self, submissions: Sequence[Submission]) -> list[AlreadyExists | None]:
        return await self._ports.database.write(lambda connection: submit_all(connection, submissions))

    async def create(self, request: ExecutionCreateRequest, *, principal: str = "") -> ExecutionCreateResponse:
        """Accept an execution. When this returns it is stored durably and will run: creating the FlyteWorkflow
        is the dispatcher's, and follows the row.

        :param principal: the authenticated caller, empty without authentication
        :raises InvalidInput: if the request is malformed or the inputs do not fit
        :raises NotFound: if project, launch plan, task or parent are not registered
        :raises FailedPrecondition: if the node that is to be the parent has ended
        :raises AlreadyExists: if the name is taken, or the launch plan's concurrency limit is reached
        """
        with self._ports.accepting():
            return await self._accept(request, principal)

    async def _accept(self, request: ExecutionCreateRequest, principal: str) -> ExecutionCreateResponse:
        check_create_request(request)
        request = named(request)
        defaults = await self._ports.check_project(request.project, request.domain)
        source = await self._ports.sources.find(request.spec.launch_plan)
        origin = await self._origin(request)
        basis = LaunchBasis(
            launch_plan_spec=source.spec,
            launch_plan_closure=source.closure,
            project_config=defaults.config,
            project_labels=defaults.labels,
            parent=origin.parent if origin else None,
        )
        launch = decide_launch(request, basis, self._settings, principal=principal)
        inputs_uri = await self._store_inputs(launch, "inputs", launch.inputs)
        user_inputs_uri = inputs_uri
        if launch.user_inputs != launch.inputs:
            user_inputs_uri = await self._store_inputs(launch, "user_inputs", launch.user_inputs)
        now = self._ports.clock.now()
        try:
            refusal = await self._submissions.put(Submission(launch, source, inputs_uri, user_inputs_uri, origin, now))
        except AlreadyExists as error:  # the database's own: two replicas both saw the name free
            raise already_exists(launch.id) from error
        if refusal is not None:
            raise refusal
        self._ports.wake_dispatcher()
        return ExecutionCreateResponse(id=launch.id)

    async def _origin(self, request: ExecutionCreateRequest) -> Origin | None:
        if not request.spec.metadata.HasField("parent_node_execution"):
            return None
        parent = request.spec.metadata.parent_node_execution
        check_identifier(parent.execution_id, "spec.metadata.parent_node_execution.execution_id")
        return await self._ports.database.read(lambda connection: read_origin(connection, parent))

    async def _store_inputs(self, launch: Launch, noun: str, literals: LiteralMap) -> str:
        """Store literals under an address of their content: of two requests with one name and different inputs, the
        one that loses must not change the other's.
        """
        if not literals.literals:
            return ""
        data = literals.SerializeToString(deterministic=True)
        digest = hashlib.sha256(data).hexdigest()[:16]
        execution = launch.id
        uri = join(self._ports.metadata_prefix, execution.project, execution.domain, execution.name, digest, noun)
        await self._ports.store.write(uri, data)
        return uri

    async def relaunch(self, request: ExecutionRelaunchRequest, *, principal: str = "") -> ExecutionCreateResponse:
        """Start an execution over with the inputs that its user gave; see :meth:`create` for more errors.

        :raises NotFound: if there is no such execution
        """
        spec, inputs = await self._source(request.id, request.name)
        again = relaunch_request(request.id, spec, inputs, name=request.name, mode=ExecutionMetadata.RELAUNCH)
        again.spec.overwrite_cache = request.overwrite_cache
        return await self.create(again, principal=principal)

    async def recover(self, request: ExecutionRecoverRequest, *, principal: str = "") -> ExecutionCreateResponse:
        """Start an execution over, taking the nodes that succeeded from it; see :meth:`create` for more errors.

        Upstream's rule: the phase of the source is not looked at.

        :raises NotFound: if there is no such execution
        """
        spec, inputs = await self._source(request.id, request.name)
        again = relaunch_request(request.id, spec, inputs, name=request.name, mode=ExecutionMetadata.RECOVERED)
        if request.metadata.HasField("parent_node_execution"):
            again.spec.metadata.parent_node_execution.CopyFrom(request.metadata.parent_node_execution)
        return await self.create(again, principal=principal)

    async def _source(self, source: WorkflowExecutionIdentifier, name: str) -> tuple[ExecutionSpec, LiteralMap]:
        check_identifier(source, "id")
        if name:
            check_execution_name(name)
        query = select(executions.c.spec, executions.c.user_inputs_uri).where(execution_condition(executions, source))
        row = await self._ports.database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise missing_execution(source)
        inputs = await self._data.literals(row.user_inputs_uri)
        if inputs.link.url:
            raise TooLarge(f"the inputs of {source.name} are above the limit of {self._data.largest} bytes")
        return ExecutionSpec.FromString(row.spec), inputs.full

    async def update(self, request: ExecutionUpdateRequest, *, principal: str = "") -> ExecutionUpdateResponse:
        """Archive an execution or bring it back.

        :raises NotFound: if there is no such execution
        """
        check_identifier(request.id, "id")
        if request.state not in ExecutionState.values():
            raise InvalidInput(f"invalid value for state: {request.state} is no state", field="state")
        now = self._ports.clock.now()
        await self._ports.database.write(
            lambda connection: set_state(connection, request.id, request.state, principal, now)
        )
        return ExecutionUpdateResponse()

    async def terminate(self, request: ExecutionTerminateRequest, *, principal: str = "") -> ExecutionTerminateResponse:
        """Have an execution aborted. When this returns that is durable; the execution is ABORTING and becomes ABORTED
        once the data plane has ended it, or at once where the data plane does not know it.

        Terminating an execution that is being aborted changes nothing.

        :raises NotFound: if there is no such execution
        :raises flyte_admin.executions.refusals.AlreadyTerminal: if it has ended
        """
        check_identifier(request.id, "id")
        if "\0" in request.cause:
            raise InvalidInput("invalid value for cause: it has a NUL character", field="cause")
        now = self._ports.clock.now()
        await self._ports.database.write(
            lambda connection: terminate(connection, request.id, request.cause, principal, now)
        )
        self._ports.wake_dispatcher()
        return ExecutionTerminateResponse()
