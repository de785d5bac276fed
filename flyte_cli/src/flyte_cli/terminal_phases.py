"""Phases that an execution does not leave."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import WorkflowExecution

TERMINAL = frozenset(
    {WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED, WorkflowExecution.TIMED_OUT}
)
