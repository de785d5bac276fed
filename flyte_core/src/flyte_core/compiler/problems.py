"""What the compiler finds wrong: codes, collected problems, and the error that carries them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from flyte_core.errors import UserError


class Code(StrEnum):
    """Upstream's error codes, as far as this compiler raises them; clients show and match them."""

    CYCLE_DETECTED = "CycleDetected"
    BRANCH_NODE_HAS_NO_CONDITION = "BranchNodeHasNoCondition"
    BRANCH_NODE_HAS_NO_DEFAULT = "BranchNodeHasNoDefault"
    VALUE_REQUIRED = "ValueRequired"
    INVALID_VALUE = "InvalidValue"
    NODE_REFERENCE_NOT_FOUND = "NodeReferenceNotFound"
    TASK_REFERENCE_NOT_FOUND = "TaskReferenceNotFound"
    WORKFLOW_REFERENCE_NOT_FOUND = "WorkflowReferenceNotFound"
    VARIABLE_NAME_NOT_FOUND = "VariableNameNotFound"
    DUPLICATE_ALIAS = "DuplicateAlias"
    DUPLICATE_ID = "DuplicateId"
    MISMATCHING_TYPES = "MismatchingTypes"
    MISMATCHING_BINDINGS = "MismatchingBindings"
    PARAMETER_BOUND_MORE_THAN_ONCE = "ParameterBoundMoreThanOnce"
    PARAMETER_NOT_BOUND = "ParameterNotBound"
    UNREACHABLE_NODES = "UnreachableNodes"
    UNRECOGNIZED_VALUE = "UnrecognizedValue"
    NO_NODES_FOUND = "NoNodesFound"
    AMBIGUOUS_BINDING_UNION_VALUE = "AmbiguousBindingUnionValue"
    INCOMPATIBLE_BINDING_UNION_VALUE = "IncompatibleBindingUnionValue"
    FIELD_NOT_FOUND = "FieldNotFound"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a task or workflow.

    :ivar node_id: the node at fault; the name of the task or workflow where no node is
    :ivar description: one sentence that names the variable or reference
    """

    code: Code
    node_id: str
    description: str


class CompileErrors(UserError):
    """A task or workflow does not compile; its text lists all problems in upstream's form, which clients show.

    :ivar problems: all that was found, each once, in the order of discovery
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        lines = [
            f"\tError {index}: Code: {problem.code}, Node Id: {problem.node_id}, Description: {problem.description}\n"
            for index, problem in enumerate(self.problems)
        ]
        super().__init__(f"Collected Errors: {len(lines)}\n{''.join(lines)}")


@dataclass(slots=True)
class Problems:
    """Collects problems while the compiler goes on.

    :ivar within: name of the sub-workflow that is compiled, put behind each description; empty for the primary one
    """

    found: list[Problem] = field(default_factory=list)
    within: str = ""

    def add(self, code: Code, node_id: str, description: str) -> None:
        """Note one problem."""
        suffix = f" (in sub-workflow {self.within})" if self.within else ""
        self.found.append(Problem(code, node_id, description + suffix))

    def inside(self, sub_workflow: str) -> Problems:
        """Return a collector into the same list for the nodes of a sub-workflow."""
        return Problems(self.found, sub_workflow)

    def raise_any(self) -> None:
        """Raise all that was found, if anything was.

        :raises CompileErrors: with every problem
        """
        if self.found:
            raise CompileErrors(self.found)
