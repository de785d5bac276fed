"""What is known when the machine is asked: answers to what it asked for, and what was seen outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.event.event_pb2 import DynamicWorkflowNodeMetadata, TaskNodeMetadata, WorkflowNodeMetadata

from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.effects import AskGraph, CacheQuestion
from flyte_propeller.machine.state import AttemptKey
from flyte_propeller.machine.workflow import Node


@dataclass(frozen=True, slots=True)
class BindingFailure:
    """Inputs that cannot be resolved.

    :ivar message: names the node, the variable and what is wrong
    """

    message: str
    code: str = "BindingResolutionFailure"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The control plane's word that it does not take an event.

    :ivar code: of the execution's error (``ExecutionNotFound``, …); empty when the control plane has it as ended
    :ivar node: index of the node whose event was invalid or too large; None when the whole execution is refused
    :ivar closed: the control plane takes no event of this execution any more
    """

    message: str
    code: str = ""
    node: int | None = None
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Launch:
    """An attempt exists outside.

    :ivar token: its identity
    """

    token: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A dynamic node's graph, compiled and written to the object store.

    :ivar nodes: with the indices that were asked for
    :ivar start: index of its start node
    :ivar made: for the event that shows it
    """

    nodes: tuple[Node, ...]
    start: int
    made: DynamicWorkflowNodeMetadata


@dataclass(frozen=True, slots=True)
class GraphFailure:
    """What a dynamic task left is no graph that can run."""

    error: ExecutionError


@dataclass(frozen=True, slots=True)
class PastNode:
    """A node of the execution that is recovered.

    :ivar outputs: None unless it ended well; then its inputs and outputs are this execution's too
    :ivar checkpoint: where its last attempt kept a checkpoint
    :ivar task: what its event said of a task node
    :ivar child: what its event said of a launch plan node
    :ivar dynamic: its nodes were made by a task
    """

    outputs: LiteralMap | None = None
    checkpoint: str = ""
    deck_uri: str = ""
    task: TaskNodeMetadata | None = None
    child: WorkflowNodeMetadata | None = None
    dynamic: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """One look at the world.

    :ivar abort: the reason, when the end of the execution was asked for
    :ivar inputs: resolved inputs by node index, written to the object store
    :ivar graphs: graphs of dynamic nodes, as they were asked for
    :ivar gathered: outputs of array nodes whose elements have ended, written to the object store
    :ivar past: of nodes of a recovery, by node index
    :ivar catalog: what the catalog has answered, in the words of the node's event
    :ivar launched: what creating an attempt gave
    :ivar observed: phases of attempts as their plugins see them
    :ivar gone: attempts of which nothing is left outside
    :ivar timers: nodes whose deadline may have passed
    :ivar looked_at: nodes that were looked at: what they intend and nobody has confirmed is asked for again
    """

    now: datetime
    abort: str | None = None
    inputs: Mapping[int, LiteralMap | BindingFailure] = field(default_factory=dict)
    graphs: Mapping[AskGraph, Graph | GraphFailure] = field(default_factory=dict)
    gathered: Mapping[int, LiteralMap | BindingFailure] = field(default_factory=dict)
    past: Mapping[int, PastNode] = field(default_factory=dict)
    catalog: Mapping[CacheQuestion, TaskNodeMetadata] = field(default_factory=dict)
    launched: Mapping[AttemptKey, Launch | PhaseInfo] = field(default_factory=dict)
    observed: Mapping[AttemptKey, PhaseInfo] = field(default_factory=dict)
    gone: frozenset[AttemptKey] = frozenset()
    timers: frozenset[int] = frozenset()
    looked_at: frozenset[int] = frozenset()
    refusal: Refusal | None = None
