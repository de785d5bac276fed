"""Identifiers of what runs as plain values: hashable, and ready to be bound to columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from flyteidl.core.identifier_pb2 import Identifier, NodeExecutionIdentifier, WorkflowExecutionIdentifier

K = TypeVar("K")


class Scope(NamedTuple):
    """A project's domain: rows of one scope are read by one statement."""

    project: str
    domain: str

    @property
    def columns(self) -> dict[str, str]:
        """The scope as values of its two columns."""
        return {"execution_project": self.project, "execution_domain": self.domain}


class ExecutionKey(NamedTuple):
    """An execution's identifier as a value."""

    project: str
    domain: str
    name: str

    @classmethod
    def of(cls, execution: WorkflowExecutionIdentifier) -> ExecutionKey:
        """Return the key of an identifier."""
        return cls(execution.project, execution.domain, execution.name)

    @property
    def columns(self) -> dict[str, str]:
        """The key as values of the three columns that every table of what runs has."""
        return {"execution_project": self.project, "execution_domain": self.domain, "execution_name": self.name}


class NodeKey(NamedTuple):
    """A node execution's identifier as a value."""

    execution: ExecutionKey
    node_id: str

    @classmethod
    def of(cls, node: NodeExecutionIdentifier) -> NodeKey:
        """Return the key of an identifier."""
        return cls(ExecutionKey.of(node.execution_id), node.node_id)


class TaskKey(NamedTuple):
    """A task execution's identifier as a value: task, node and attempt."""

    node: NodeKey
    project: str
    domain: str
    name: str
    version: str
    retry_attempt: int

    @classmethod
    def of(cls, task: Identifier, node: NodeKey, retry_attempt: int) -> TaskKey:
        """Return the key of an attempt of ``task`` in ``node``."""
        return cls(node, task.project, task.domain, task.name, task.version, retry_attempt)


def by_scope(keys: Iterable[K], execution_of: Callable[[K], ExecutionKey]) -> Iterable[tuple[Scope, list[K]]]:
    """Return the keys by the project and domain of their execution."""
    scopes: dict[Scope, list[K]] = {}
    for key in keys:
        execution = execution_of(key)
        scopes.setdefault(Scope(execution.project, execution.domain), []).append(key)
    return scopes.items()
