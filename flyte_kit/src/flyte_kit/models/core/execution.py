"""Phases of executions, under flytekit's module name."""

from flyte_kit.core.notification import WorkflowExecutionPhase

__all__ = ["WorkflowExecutionPhase"]
