"""Orders in the outbox of workflows, as values, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionSpec
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier


@dataclass(frozen=True, slots=True)
class Order:
    """One row of the outbox with what is stored of its execution.

    :ivar phase: of the execution now
    :ivar spec: of the execution; for a creation the effective one, with every default filled in
    :ivar closure_uri: of the compiled workflow
    :ivar attempts: made before this one
    """

    row_id: int
    action: str
    execution: WorkflowExecutionIdentifier
    phase: str
    spec: ExecutionSpec
    request: ExecutionCreateRequest
    closure_uri: str
    inputs_uri: str
    accepted_at: datetime
    attempts: int

    @property
    def namespace(self) -> str:
        """Kubernetes namespace of the FlyteWorkflow."""
        return str(self.spec.metadata.system_metadata.namespace)


@dataclass(frozen=True, slots=True)
class Created:
    """The FlyteWorkflow exists, created now or before."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing is to be done: the execution has ended or is being aborted."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """The FlyteWorkflow can never be created; the execution fails."""

    error: ExecutionError


@dataclass(frozen=True, slots=True)
class Deleting:
    """The FlyteWorkflow was asked to end and is still there: the data plane is aborting the execution."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no FlyteWorkflow (any more)."""


@dataclass(frozen=True, slots=True)
class Later:
    """A peer did not answer; the order is tried again.

    :ivar reason: one line, kept with the row
    """

    reason: str


Outcome = Created | Skipped | Impossible | Deleting | Gone | Later
