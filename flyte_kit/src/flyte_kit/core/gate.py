"""Gates: nodes that wait — for a time, for an input, for a yes."""

from __future__ import annotations

import datetime
import sys
from typing import Any, TypeVar, overload

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.core.calls import call_entity
from flyte_kit.core.constants import GLOBAL_INPUT_NODE_ID
from flyte_kit.core.context_manager import ExecutionMode, FlyteContext, FlyteContextManager
from flyte_kit.core.input_text import value_of_text
from flyte_kit.core.interface import Interface
from flyte_kit.core.node import node_metadata
from flyte_kit.core.promise import Promise, VoidPromise
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.exceptions.user import FlyteDisapprovalException

T = TypeVar("T")
DEFAULT_TIMEOUT = datetime.timedelta(hours=1)


class Gate:
    """A node that waits.

    :param input_type: of an input that is waited for
    :param upstream_item: what is to be approved
    :param sleep_duration: of a sleep
    :param timeout: after which the workflow fails; one hour without it
    """

    def __init__(
        self,
        name: str,
        input_type: Any = None,
        upstream_item: Any = None,
        sleep_duration: datetime.timedelta | None = None,
        timeout: datetime.timedelta | None = None,
    ) -> None:
        self.name = name
        self.input_type = input_type
        self.sleep_duration = sleep_duration
        self._timeout = timeout or DEFAULT_TIMEOUT
        self.upstream_item = upstream_item
        self.literal_type: LiteralType | None = TypeEngine.to_literal_type(input_type) if input_type else None
        self.python_interface = Interface(outputs={"o0": input_type}) if input_type else Interface()

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of its node."""
        metadata = node_metadata(self.name, timeout=self._timeout)
        return metadata

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.LOCAL_TASK_EXECUTION

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Ask on the terminal; a sleep does not wait.

        :raises FlyteDisapprovalException: if the answer is no
        """
        if self.sleep_duration is not None:
            sys.stderr.write(f"[Sleep Gate] Simulating Sleep for {self.sleep_duration}\n")
            return VoidPromise(self.name)
        if self.literal_type is not None:
            text = input(f"[Input Gate] Waiting for input @{self.name} of type {self.input_type}: ")
            value = value_of_text(text, self.input_type)
            return Promise("o0", TypeEngine.to_literal(ctx, value, self.input_type, self.literal_type))
        name, promise = next(iter(kwargs.items()))
        literal: Literal = promise.resolved()
        answer = input(f"[Approval Gate] @{self.name} Approve {str(literal.scalar).strip()}? [Y/n]: ")
        if answer.strip().lower() not in {"", "y", "yes"}:
            raise FlyteDisapprovalException(f"User did not approve the transaction for gate node {self.name}")
        return Promise(name, literal)


@overload
def wait_for_input(name: str, timeout: datetime.timedelta, expected_type: type[T]) -> T: ...


@overload
def wait_for_input(name: str, timeout: datetime.timedelta, expected_type: Any) -> Any: ...


def wait_for_input(name: str, timeout: datetime.timedelta, expected_type: Any) -> Any:
    """Wait until somebody gives a value, and return it.

    :param name: of the signal
    """
    return call_entity(Gate(name, input_type=expected_type, timeout=timeout))


def sleep(duration: datetime.timedelta) -> Any:
    """Wait for a time."""
    return call_entity(Gate("sleep-gate", sleep_duration=duration))


def approve(upstream_item: T, name: str, timeout: datetime.timedelta) -> T:
    """Wait until somebody approves a value, and return it.

    :param upstream_item: one output of a call
    :param name: of the signal
    :raises ValueError: if it is nothing, or an input of the workflow itself
    """
    promise: Any = upstream_item
    if promise is None or isinstance(promise, VoidPromise):
        raise ValueError("You can't use approval on a task that doesn't return anything.")
    gate = Gate(name, upstream_item=promise, timeout=timeout)
    variable, python_type = "o0", None
    if FlyteContextManager.current_context().compilation_state is not None:
        if promise.ref.node_id == GLOBAL_INPUT_NODE_ID:
            raise ValueError("Workflow inputs cannot be passed to approval nodes.")
        variable = promise.var
        python_type = _type_of(promise)
    gate.python_interface = Interface(inputs={variable: python_type}, outputs={variable: python_type})
    approved: T = call_entity(gate, **{variable: promise})
    return approved


def _type_of(promise: Promise) -> Any:
    entity = promise.ref.node.flyte_entity
    interface = getattr(entity, "python_interface", None)
    if interface is not None:
        return interface.outputs[promise.var]
    # A conditional has no signature of its own: its branches have.
    for case in getattr(entity, "cases", ()):
        found = case.output_promise
        for each in found if isinstance(found, tuple) else (found,):
            if isinstance(each, Promise) and each.var == promise.var:
                return _type_of(each)
    raise ValueError(f"The type of {promise} cannot be told")
