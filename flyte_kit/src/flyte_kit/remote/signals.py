"""Answers to gates that wait."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.signal_pb2 import SignalListRequest, SignalSetRequest
from flyteidl.core.identifier_pb2 import SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal

from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.remote.client import PAGE
from flyte_kit.remote.watching import Watching


class Signals(Watching):
    """List signals and set them."""

    def _execution_id(self, name: str, project: str | None, domain: str | None) -> WorkflowExecutionIdentifier:
        return WorkflowExecutionIdentifier(
            project=project or self.default_project, domain=domain or self.default_domain, name=name
        )

    def list_signals(
        self, execution_name: str, project: str | None = None, domain: str | None = None, limit: int = PAGE
    ) -> list[Any]:
        """Return the signals of an execution; one that has a value was set already."""
        identifier = self._execution_id(execution_name, project, domain)
        request = SignalListRequest(workflow_execution_id=identifier, limit=min(limit, PAGE))
        return list(self.client.pages(self.client.signals.ListSignals, request, "signals", limit))

    def set_input(
        self,
        signal_id: str,
        execution_name: str,
        value: Any,
        project: str | None = None,
        domain: str | None = None,
        python_type: Any = None,
        literal_type: Any = None,
    ) -> None:
        """Give the value that a gate waits for.

        :param value: plain, or a literal
        :param python_type: of the value, where it cannot be told from it
        :param literal_type: of the value on the wire
        """
        if isinstance(value, Literal):
            literal = value
        else:
            if python_type is None:
                python_type = TypeEngine.guess_python_type(literal_type) if literal_type else type(value)
            expected = literal_type or TypeEngine.to_literal_type(python_type)
            literal = TypeEngine.to_literal(self.context, value, python_type, expected)
        identifier = SignalIdentifier(
            signal_id=signal_id, execution_id=self._execution_id(execution_name, project, domain)
        )
        self.client.call(self.client.signals.SetSignal, SignalSetRequest(id=identifier, value=literal))

    set_signal = set_input

    def approve(
        self, signal_id: str, execution_name: str, project: str | None = None, domain: str | None = None
    ) -> None:
        """Say yes at a gate."""
        self.set_input(signal_id, execution_name, True, project, domain, bool)

    def reject(
        self, signal_id: str, execution_name: str, project: str | None = None, domain: str | None = None
    ) -> None:
        """Say no at a gate."""
        self.set_input(signal_id, execution_name, False, project, domain, bool)
