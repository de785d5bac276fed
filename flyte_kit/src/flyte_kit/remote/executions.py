"""Executions, as of the last look at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flyteidl.admin.execution_pb2 import Execution as ExecutionMessage
from flyteidl.admin.node_execution_pb2 import NodeExecution as NodeExecutionMessage
from flyteidl.admin.task_execution_pb2 import TaskExecution as TaskExecutionMessage
from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution, TaskExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_kit.exceptions.user import FlyteAssertion
from flyte_kit.remote.values import LiteralsResolver

_DONE = {WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED, WorkflowExecution.TIMED_OUT}
_NODE_DONE = {
    NodeExecution.SUCCEEDED,
    NodeExecution.FAILED,
    NodeExecution.ABORTED,
    NodeExecution.TIMED_OUT,
    NodeExecution.SKIPPED,
    NodeExecution.RECOVERED,
}
_TASK_DONE = {TaskExecution.SUCCEEDED, TaskExecution.FAILED, TaskExecution.ABORTED}


@dataclass
class _Looked:
    """What executions of every kind have.

    :ivar message: what the control plane last said of it
    :ivar inputs: None before the first look at them
    """

    message: Any
    inputs: LiteralsResolver | None = field(default=None, init=False)
    given_outputs: LiteralsResolver | None = field(default=None, init=False)

    @property
    def closure(self) -> Any:
        """What has become of it."""
        return self.message.closure

    @property
    def error(self) -> ExecutionError | None:
        """Why it failed."""
        return self.closure.error if self.closure.HasField("error") else None


@dataclass
class _Part(_Looked):
    """A node or a task of an execution."""

    @property
    def id(self) -> Any:
        """Its id."""
        return self.message.id

    @property
    def outputs(self) -> LiteralsResolver | None:
        """Its outputs, once it has succeeded."""
        return self.given_outputs


@dataclass
class FlyteTaskExecution(_Part):
    """An attempt of a task."""

    message: TaskExecutionMessage

    @property
    def phase(self) -> str:
        """Its phase, by name."""
        return str(TaskExecution.Phase.Name(self.closure.phase))

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.closure.phase in _TASK_DONE


@dataclass
class FlyteNodeExecution(_Part):
    """A node of an execution.

    :ivar task_executions: attempts, oldest first
    :ivar workflow_executions: what it launched
    :ivar node_executions: its own nodes, by id, where it is a workflow
    """

    message: NodeExecutionMessage
    task_executions: list[FlyteTaskExecution] = field(default_factory=list)
    workflow_executions: list[FlyteWorkflowExecution] = field(default_factory=list)
    node_executions: dict[str, FlyteNodeExecution] = field(default_factory=dict)

    @property
    def metadata(self) -> Any:
        """Where it stands in its workflow."""
        return self.message.metadata

    @property
    def phase(self) -> str:
        """Its phase, by name."""
        return str(NodeExecution.Phase.Name(self.closure.phase))

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.closure.phase in _NODE_DONE

    @property
    def executions(self) -> list[Any]:
        """Attempts, and what it launched."""
        return [*self.task_executions, *self.workflow_executions]


@dataclass
class FlyteWorkflowExecution(_Looked):
    """An execution.

    :ivar node_executions: nodes by id, once they have been looked at
    """

    message: ExecutionMessage
    type_hints: dict[str, Any] = field(default_factory=dict)
    node_executions: dict[str, FlyteNodeExecution] = field(default_factory=dict)

    @property
    def id(self) -> WorkflowExecutionIdentifier:
        """Its id."""
        return self.message.id

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.message.id.name)

    @property
    def spec(self) -> Any:
        """What was asked for."""
        return self.message.spec

    @property
    def phase(self) -> str:
        """Its phase, by name."""
        return str(WorkflowExecution.Phase.Name(self.closure.phase))

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.closure.phase in _DONE

    @property
    def is_successful(self) -> bool:
        """Whether it has succeeded."""
        return bool(self.closure.phase == WorkflowExecution.SUCCEEDED)

    @property
    def outputs(self) -> LiteralsResolver:
        """Its outputs.

        :raises FlyteAssertion: before it has succeeded
        """
        if not self.is_done:
            raise FlyteAssertion("Please wait until the execution has completed before requesting the outputs.")
        if self.error is not None:
            raise FlyteAssertion(
                f"Outputs could not be found because the execution ended in failure: {self.error.message}"
            )
        if self.given_outputs is None:
            raise FlyteAssertion("The outputs have not been fetched: sync the execution first")
        return self.given_outputs
