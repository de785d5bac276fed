"""Refusals of events, with the protobuf detail by which the data plane tells them apart (upstream's texts)."""

from __future__ import annotations

from flyteidl.admin.event_pb2 import (
    EventErrorAlreadyInTerminalState,
    EventErrorIncompatibleCluster,
    EventFailureReason,
)

from flyte_core.errors import FailedPrecondition


class EventRefused(FailedPrecondition):
    """An event that the state of its execution, node or task forbids.

    :ivar detail: goes into the details of the gRPC status
    """

    def __init__(self, message: str, detail: EventFailureReason) -> None:
        super().__init__(message)
        self.detail = detail


class AlreadyTerminal(EventRefused):
    """The execution, node or task has ended; the data plane must not go on with it.

    :param current_phase: for a workflow event the recorded phase, for node and task events that of the request
    """

    def __init__(self, message: str, current_phase: str) -> None:
        reason = EventErrorAlreadyInTerminalState(current_phase=current_phase)
        super().__init__(message, EventFailureReason(already_in_terminal_state=reason))


class ForeignCluster(EventRefused):
    """The execution belongs to another cluster than the one that reports.

    :param cluster: the one that it belongs to
    """

    def __init__(self, message: str, cluster: str) -> None:
        reason = EventErrorIncompatibleCluster(cluster=cluster)
        super().__init__(message, EventFailureReason(incompatible_cluster=reason))
