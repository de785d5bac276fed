"""Child executions of launch plan nodes: created under a deterministic name, looked at, terminated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionCreateRequest, ExecutionMetadata
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.message import DecodeError

from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists, NotFound, TooLarge, UserError
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import node_of
from flyte_propeller.machine.evaluate import AUTO_ABORT
from flyte_propeller.machine.event_requests import failure, node_execution
from flyte_propeller.machine.launch_plans import child_execution
from flyte_propeller.machine.state import AttemptKey
from flyte_propeller.machine.task_nodes import SUBMITTED
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.polling import look_again, started_at
from flyte_propeller.shell.ports import ChildExecutions, Launched
from flyte_propeller.wakeups import Key

ENDED = (
    WorkflowExecution.SUCCEEDED,
    WorkflowExecution.FAILED,
    WorkflowExecution.ABORTED,
    WorkflowExecution.TIMED_OUT,
)
LONGEST_ABORT = timedelta(minutes=10)
"""How long a parent waits for the end of a child whose abort the control plane has accepted: one whose own data plane
is gone stays ABORTING for ever, and must not keep its parent."""


@dataclass(frozen=True, slots=True)
class Children:
    """The child executions of one propeller's executions.

    :ivar limit: bytes of the outputs of one child
    """

    admin: ChildExecutions
    store: BlobStore
    clock: Clock
    limit: int

    async def launch(self, execution: Execution, key: AttemptKey, inputs: LiteralMap) -> Launched | PhaseInfo:
        """Create the attempt's execution, or find it; a refusal is a permanent failure (upstream's rule and code).

        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        request = create_request(execution, key, inputs)
        child = _child(execution, key)
        _note(execution, key, child)
        try:
            await self.admin.create_child(request)
        except AlreadyExists as error:
            if await self.admin.get_child(child) is None:  # the launch plan's limit: there is no such execution
                return _failed("RuntimeExecutionError", f"failed to launch workflow, caused by: {error}")
        except UserError as error:
            return _failed("RuntimeExecutionError", f"failed to launch workflow, caused by: {error}")
        return Launched(child.name)

    async def observe(self, execution: Execution, key: AttemptKey) -> PhaseInfo:
        """Return how the child is. Of one that has succeeded the outputs are the node's when this returns.

        :raises flyte_core.errors.Unavailable: if the control plane or the store does not answer
        """
        child, node = _child(execution, key), execution.workflow.at(key[0])
        closure = await self.admin.get_child(child)
        if closure is None:
            text = f"failed at Node[{node.id}]. NotFound: launch-plan not found: execution [{child.name}] is gone"
            return _failed("NotFound", text, ExecutionError.SYSTEM)
        if closure.phase not in ENDED:
            _note(execution, key, child)
            look_again(execution, key[0], started_at(execution, key[0]), self.clock.now())
            return SUBMITTED
        _forget(execution, child)
        if closure.phase == WorkflowExecution.SUCCEEDED:
            return await self._take_outputs(execution, key, child, closure)
        if closure.phase == WorkflowExecution.ABORTED:
            code = "RemoteChildWorkflowExecutionFailed"
            text = f"failed at Node[{node.id}]. {code}: launchplan [{child.name}] aborted"
            return _failed(code, f"{text}, caused by: launchplan execution aborted")
        if closure.HasField("error"):
            return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=closure.error)
        return _failed("LaunchPlanExecutionFailed", "Unknown Error", ExecutionError.UNKNOWN)

    async def _take_outputs(
        self, execution: Execution, key: AttemptKey, child: WorkflowExecutionIdentifier, closure: ExecutionClosure
    ) -> PhaseInfo:
        index, attempt = key
        target = execution.workflow.paths_of(execution.workflow.at(index)).outputs(attempt)
        source = closure.outputs.uri
        try:
            if source and self.store.owns(source):
                data = await self.store.read(source, limit=self.limit)
                LiteralMap.FromString(data)
            elif source:
                data = (await self.admin.child_outputs(child)).SerializeToString(deterministic=True)
            else:
                data = closure.outputs.values.SerializeToString(deterministic=True)
        except (UserError, DecodeError) as error:
            code = "OutputSizeExceeded" if isinstance(error, TooLarge) else "RuntimeExecutionError"
            if isinstance(error, NotFound):
                code = "OutputsNotFound"
            text = f"remote output for launchplan execution [{child.name}] cannot be read: {error}"
            return _failed(code, text, ExecutionError.SYSTEM)
        await self.store.write(target, data)
        return PhaseInfo(TaskPhase.SUCCESS)

    async def delete(self, execution: Execution, key: AttemptKey) -> bool:
        """Terminate the child; return True once it has ended, is not there, or has been ABORTING for too long.

        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        child, now = _child(execution, key), self.clock.now()
        closure = await self.admin.get_child(child)
        if closure is not None and closure.phase not in ENDED:
            if closure.phase != WorkflowExecution.ABORTING:
                cause = cascading_abort(execution.workflow.execution.name, execution.state.message or AUTO_ABORT)
                await self.admin.terminate_child(child, cause)
            if closure.phase != WorkflowExecution.ABORTING or now < _updated_at(closure) + LONGEST_ABORT:
                _note(execution, key, child)
                look_again(execution, key[0], _updated_at(closure), now)
                return False
        _forget(execution, child)
        return True


def cascading_abort(parent: str, reason: str) -> str:
    """Return why a child is terminated, in upstream's words."""
    return f"cascading abort as parent execution id [{parent}] aborted, reason [{reason}]"


def children_of(execution: Execution) -> list[WorkflowExecutionIdentifier]:
    """Return the executions that the workflow's nodes have started, as far as they may not have ended."""
    workflow, state = execution.workflow, execution.state
    going = [(index, node.attempt) for index, node in state.active.items() if node.task is not None]
    attempts = sorted({*going, *state.cleanup})
    return [_child(execution, key) for key in attempts if workflow.nodes[key[0]].launch_plan is not None]


def create_request(execution: Execution, key: AttemptKey, inputs: LiteralMap) -> ExecutionCreateRequest:
    """Return the request for an attempt's execution: upstream's fields, and what it inherits."""
    workflow, (index, attempt) = execution.workflow, key
    node = workflow.at(index)
    child = child_execution(workflow, node, attempt)
    request = ExecutionCreateRequest(project=child.project, domain=child.domain, name=child.name, inputs=inputs)
    request.spec.CopyFrom(workflow.inherited)
    request.spec.launch_plan.CopyFrom(node.launch_plan)
    metadata = request.spec.metadata
    metadata.mode = ExecutionMetadata.CHILD_WORKFLOW
    metadata.nesting = 1
    # The elements of an array node are no node executions of their own.
    metadata.parent_node_execution.CopyFrom(node_execution(workflow, workflow.nodes[node_of(index)]))
    return request


def _child(execution: Execution, key: AttemptKey) -> WorkflowExecutionIdentifier:
    index, attempt = key
    return child_execution(execution.workflow, execution.workflow.at(index), attempt)


def _note(execution: Execution, key: AttemptKey, child: WorkflowExecutionIdentifier) -> None:
    if execution.awaited is not None:
        namespace = execution.workflow.namespace
        execution.awaited.note(Key(namespace, child.name), execution.key, key[0])


def _forget(execution: Execution, child: WorkflowExecutionIdentifier) -> None:
    if execution.awaited is not None:
        execution.awaited.forget(Key(execution.workflow.namespace, child.name))


def _updated_at(closure: ExecutionClosure) -> datetime:
    """Return when the control plane changed the execution last: of one that is ABORTING, when that was asked for."""
    moment: datetime = closure.updated_at.ToDatetime(UTC)
    return moment


def _failed(code: str, message: str, kind: ExecutionError.ErrorKind = ExecutionError.USER) -> PhaseInfo:
    return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=failure(code, message, kind))
