"""Launch plan nodes: each attempt is an execution of its own, named after the attempt."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import NodeExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_core.identifiers import child_execution_name
from flyte_propeller.machine.state import NodeState
from flyte_propeller.machine.workflow import Node, Workflow

LAUNCHED = (NodeExecution.RUNNING, NodeExecution.SUCCEEDED, NodeExecution.FAILED)
"""Phases whose events name the child; upstream's events of an abort or a time-out do not."""


def child_execution(workflow: Workflow, node: Node, attempt: int) -> WorkflowExecutionIdentifier:
    """Return the id of the execution that this attempt starts: in the project and domain of its parent, whatever
    those of the launch plan are (upstream's rule).
    """
    parent = workflow.execution
    name = child_execution_name(parent.name, node.unique_id, attempt)
    return WorkflowExecutionIdentifier(project=parent.project, domain=parent.domain, name=name)


def names_child(node: Node, state: NodeState, phase: int) -> bool:
    """Return whether the node's event of this phase names the child.

    The control plane refuses an event that names an execution which it does not have: the event of a node whose
    launch was refused names none.
    """
    if node.launch_plan is None or phase not in LAUNCHED or state.task is None:
        return False
    return phase == NodeExecution.RUNNING or bool(state.task.token)
