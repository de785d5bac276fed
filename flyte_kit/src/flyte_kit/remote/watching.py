"""Looking at executions until they have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from flyteidl.admin.execution_pb2 import (
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetMetricsRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.node_execution_pb2 import NodeExecutionGetDataRequest, NodeExecutionListRequest
from flyteidl.admin.task_execution_pb2 import TaskExecutionGetDataRequest, TaskExecutionListRequest
from flyteidl.core.interface_pb2 import Variable
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_kit.exceptions.user import FlyteEntityNotExistException, FlyteTimeout
from flyte_kit.remote.client import OLDEST, PAGE
from flyte_kit.remote.executions import FlyteNodeExecution, FlyteTaskExecution, FlyteWorkflowExecution
from flyte_kit.remote.launching import Launching
from flyte_kit.remote.values import LiteralsResolver

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 4.0
GROWTH = 1.5
DEADLINE_SECONDS = 60.0
"""Of one call while watching: a hanging server does not hang the client."""
_ENDS = {"start-node", "end-node"}


def pauses(first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Yield seconds to wait between looks: short at first, then longer, never above ``longest``."""
    pause = first
    while True:
        yield pause
        pause = min(pause * GROWTH, longest)


class Watching(Launching):
    """Wait for executions and look into them."""

    def wait(  # type: ignore[override]
        self,
        execution: FlyteWorkflowExecution,
        timeout: timedelta | float | None = None,
        poll_interval: timedelta | float | None = None,
        sync_nodes: bool = True,
        on_look: Callable[[FlyteWorkflowExecution], None] | None = None,
    ) -> FlyteWorkflowExecution:
        """Wait until an execution has ended, and look at it as a whole then.

        :param timeout: seconds without a limit if None
        :param poll_interval: longest time between two looks; looks begin at 0.2 s and slow down
        :param sync_nodes: whether nodes are looked at, at the end
        :param on_look: is called with the execution after every look
        :raises FlyteTimeout: if it takes longer than ``timeout``
        """
        limit = _seconds(timeout)
        end = time.monotonic() + limit if limit is not None else None
        longest = _seconds(poll_interval) or LONGEST_PAUSE
        for pause in pauses(min(FIRST_PAUSE, longest), longest):
            execution = self.sync_execution(execution, sync_nodes=False)
            if on_look is not None:
                on_look(execution)
            if execution.is_done:
                return self.sync_execution(execution, sync_nodes=True) if sync_nodes else execution
            if end is not None and time.monotonic() + pause > end:
                raise FlyteTimeout(f"Execution {execution.name} did not complete before timeout of {limit} s.")
            self.sleep(pause)
        raise AssertionError("pauses never end")

    def sync(
        self, execution: FlyteWorkflowExecution, entity_definition: Any = None, sync_nodes: bool = False
    ) -> FlyteWorkflowExecution:
        """Look at an execution again."""
        return self.sync_execution(execution, entity_definition, sync_nodes)

    def sync_execution(
        self, execution: FlyteWorkflowExecution, entity_definition: Any = None, sync_nodes: bool = False
    ) -> FlyteWorkflowExecution:
        """Look at an execution again: its phase, inputs and outputs; and its nodes, if asked for."""
        request = WorkflowExecutionGetRequest(id=execution.id)
        execution.message = self._look(self.client.admin.GetExecution, request)
        if execution.is_done or execution.inputs is None:
            self._read_values(execution)
        if sync_nodes:
            found = self._nodes(NodeExecutionListRequest(workflow_execution_id=execution.id))
            execution.node_executions = found
        return execution

    def _look(self, method: Any, request: Any) -> Any:
        return self.client.call(method, request, timeout=DEADLINE_SECONDS)

    def _read_values(self, execution: FlyteWorkflowExecution) -> None:
        request = WorkflowExecutionGetDataRequest(id=execution.id)
        data = self._look(self.client.admin.GetExecutionData, request)
        variables = self._variables(execution) if execution.is_done else ({}, {})
        execution.inputs = self._values(data.full_inputs, variables[0])
        if execution.is_successful:
            execution.given_outputs = self._values(data.full_outputs, variables[1], execution.type_hints)

    def _values(self, literals: LiteralMap, *known: Mapping[str, Any]) -> LiteralsResolver:
        return LiteralsResolver(literals, *known, keys_file=self.config.file)

    def _variables(self, execution: FlyteWorkflowExecution) -> tuple[dict[str, Variable], dict[str, Variable]]:
        if not execution.closure.workflow_id.name:
            return {}, {}
        try:
            workflow = self.client.get_workflow(execution.closure.workflow_id)
        except FlyteEntityNotExistException:
            return {}, {}
        interface = workflow.closure.compiled_workflow.primary.template.interface
        return dict(interface.inputs.variables), dict(interface.outputs.variables)

    def _nodes(self, request: NodeExecutionListRequest) -> dict[str, FlyteNodeExecution]:
        request.limit, request.sort_by.key, request.sort_by.direction = PAGE, OLDEST.key, OLDEST.direction
        messages = self.client.pages(self.client.admin.ListNodeExecutions, request, "node_executions")
        return {m.id.node_id: self.sync_node_execution(FlyteNodeExecution(m)) for m in messages}

    def sync_node_execution(self, execution: FlyteNodeExecution) -> FlyteNodeExecution:
        """Look at a node: its values, attempts, own nodes, and what it launched."""
        metadata = execution.metadata
        if metadata.spec_node_id in _ENDS or execution.id.node_id in _ENDS:
            return execution
        self._read_node_values(execution)
        launched = execution.closure.workflow_node_metadata.executionId
        if launched.name:
            child = self._look(self.client.admin.GetExecution, WorkflowExecutionGetRequest(id=launched))
            child_execution = self.sync_execution(FlyteWorkflowExecution(child), sync_nodes=True)
            execution.workflow_executions = [child_execution]
        if metadata.is_parent_node or metadata.is_dynamic:
            children = NodeExecutionListRequest(
                workflow_execution_id=execution.id.execution_id, unique_parent_id=execution.id.node_id
            )
            execution.node_executions = self._nodes(children)
        if not metadata.is_parent_node or metadata.is_dynamic or metadata.is_array:
            execution.task_executions = self._attempts(execution)
        return execution

    def _read_node_values(self, execution: FlyteNodeExecution) -> None:
        try:
            request = NodeExecutionGetDataRequest(id=execution.id)
            data = self._look(self.client.admin.GetNodeExecutionData, request)
        except FlyteEntityNotExistException:
            return
        execution.inputs = self._values(data.full_inputs)
        execution.given_outputs = self._values(data.full_outputs)

    def _attempts(self, execution: FlyteNodeExecution) -> list[FlyteTaskExecution]:
        request = TaskExecutionListRequest(node_execution_id=execution.id, limit=PAGE, sort_by=OLDEST)
        messages = self.client.pages(self.client.admin.ListTaskExecutions, request, "task_executions")
        return [self.sync_task_execution(FlyteTaskExecution(message)) for message in messages]

    def sync_task_execution(self, execution: FlyteTaskExecution) -> FlyteTaskExecution:
        """Look at the values of an attempt that has ended."""
        if execution.is_done:
            request = TaskExecutionGetDataRequest(id=execution.id)
            data = self._look(self.client.admin.GetTaskExecutionData, request)
            execution.inputs = self._values(data.full_inputs)
            execution.given_outputs = self._values(data.full_outputs)
        return execution

    def get_execution_metrics(self, id: Any, depth: int = 10) -> Any:
        """Return the time spans of an execution."""
        identifier = getattr(id, "id", id)
        request = WorkflowExecutionGetMetricsRequest(id=identifier, depth=depth)
        return self.client.call(self.client.admin.GetExecutionMetrics, request)


def _seconds(value: timedelta | float | None) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value
