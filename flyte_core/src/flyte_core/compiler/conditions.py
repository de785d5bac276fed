"""Checks the conditions of a branch."""

from __future__ import annotations

from flyteidl.core.condition_pb2 import BooleanExpression, ComparisonExpression, Operand
from flyteidl.core.literals_pb2 import Literal, Scalar
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import BranchNode, IfBlock

from flyte_core.compiler.interfaces import Types
from flyte_core.compiler.problems import Code, Problems
from flyte_core.literals import is_castable, literal_problem, type_text


def check_branch(branch: BranchNode, node_id: str, bound: Types, problems: Problems) -> None:
    """Report cases without condition or node, a missing default, and conditions that cannot be evaluated.

    :param bound: the branch's inputs, which are the variables of its conditions
    """
    block = branch.if_else
    for case in (block.case, *block.other):
        _check_case(case, node_id, bound, problems)
    if block.WhichOneof("default") is None:
        problems.add(Code.BRANCH_NODE_HAS_NO_DEFAULT, node_id, "The branch has neither an else node nor an error.")


def _check_case(case: IfBlock, node_id: str, bound: Types, problems: Problems) -> None:
    if not case.HasField("then_node"):
        problems.add(Code.VALUE_REQUIRED, node_id, "Value required [then_node] of a case.")
    if not case.HasField("condition"):
        problems.add(Code.BRANCH_NODE_HAS_NO_CONDITION, node_id, "A case of the branch has no condition.")
        return
    waiting: list[BooleanExpression] = [case.condition]
    while waiting:
        expression = waiting.pop()
        match expression.WhichOneof("expr"):
            case "conjunction":
                conjunction = expression.conjunction
                waiting += [conjunction.right_expression, conjunction.left_expression]
            case "comparison":
                _check_comparison(expression.comparison, node_id, bound, problems)
            case _:
                problems.add(Code.VALUE_REQUIRED, node_id, "Value required: an expression of a condition is empty.")


def _check_comparison(comparison: ComparisonExpression, node_id: str, bound: Types, problems: Problems) -> None:
    left, right = comparison.left_value, comparison.right_value
    left_type = _operand_type(left, node_id, bound, problems)
    right_type = _operand_type(right, node_id, bound, problems)
    if left_type is not None and right_type is not None:
        fits = is_castable(left_type, right_type) or is_castable(right_type, left_type)
        if not fits:
            pair = f"{type_text(left_type)} and {type_text(right_type)}"
            problems.add(Code.MISMATCHING_TYPES, node_id, f"A condition compares {pair}.")
        return
    for operand, other in ((left, right_type), (right, left_type)):
        if operand.WhichOneof("val") == "primitive" and other is not None:
            problem = literal_problem(_literal(operand), other)
            if problem:
                problems.add(Code.MISMATCHING_TYPES, node_id, f"A condition compares a value: {problem}.")


def _operand_type(operand: Operand, node_id: str, bound: Types, problems: Problems) -> LiteralType | None:
    match operand.WhichOneof("val"):
        case "var":
            if operand.var not in bound:
                message = f"Variable [{operand.var}] of a condition not found among the branch's inputs."
                problems.add(Code.VARIABLE_NAME_NOT_FOUND, node_id, message)
                return None
            return bound[operand.var]
        case "primitive":
            return None
        case _:
            problems.add(Code.VALUE_REQUIRED, node_id, "Value required: an operand needs a primitive or a variable.")
            return None


def _literal(operand: Operand) -> Literal:
    return Literal(scalar=Scalar(primitive=operand.primitive))
