"""Conditionals: ``conditional("name").if_(x > 1).then(a(x=x)).else_().fail("…")``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar

from flyte_kit.core.bindings import Binding
from flyte_kit.core.constants import GLOBAL_INPUT_NODE_ID
from flyte_kit.core.context_manager import BranchEvalMode, FlyteContextManager
from flyte_kit.core.expressions import ComparisonExpression, ConjunctionExpression, Expression, operand_name
from flyte_kit.core.node import Node, node_metadata
from flyte_kit.core.promise import NodeOutput, Promise, VoidPromise, create_task_output
from flyte_kit.exceptions.user import FlyteValidationException

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")
T = TypeVar("T")


class Case:
    """A branch.

    :ivar expr: None for ``else``
    :ivar output_promise: what its call returned
    :ivar err: message of a branch that fails
    :ivar output_node: its node, while compiling
    """

    def __init__(self, section: ConditionalSection, expr: Expression | bool | None, stmt: str) -> None:
        if expr is not None and not isinstance(expr, ComparisonExpression | ConjunctionExpression):
            raise AssertionError(
                f"{section.name}.{stmt}: only comparisons (<,<=,>,>=,==,!=) joined by & and | can be conditions. A "
                f"promise alone, `and`, `or`, `not` and `is` cannot; for a truth value use is_true(). Received {expr!r}"
            )
        self._section = section
        self.expr = expr
        self.stmt = stmt
        self.output_promise: Any = None
        self.err: str | None = None
        self.output_node: Node | None = None
        self.taken = False

    def then(self, p: Any) -> Any:
        """Say what the branch does: the call of an entity, or another conditional."""
        self.output_promise = p
        first = p[0] if isinstance(p, tuple) and p else p
        ref = getattr(first, "ref", None)
        if ref is not None:
            self.output_node = ref.node
        self._section.check_single()
        return self._section.end_branch()

    def fail(self, err: str) -> Any:
        """Say that the branch fails the workflow, with a message."""
        self.err = err
        return self._section.end_branch()

    def __repr__(self) -> str:
        return f"{self.stmt}({self.expr!r})"


class OpenCase(Case, Generic[T]):
    """A branch that others follow. The type is the union of what the branches before it return."""

    def then(self, p: R) -> Condition[T | R]:
        """Say what the branch does: the call of an entity, or another conditional."""
        condition: Condition[T | R] = super().then(p)
        return condition

    def fail(self, err: str) -> Condition[T]:
        """Say that the branch fails the workflow, with a message."""
        condition: Condition[T] = super().fail(err)
        return condition


class LastCase(Case, Generic[T]):
    """The branch after ``else_``; with it the conditional is complete, and has outputs."""

    def then(self, p: R) -> T | R:
        """Say what the branch does, and return the outputs of the conditional."""
        outputs: T | R = super().then(p)
        return outputs

    def fail(self, err: str) -> T:
        """Say that the branch fails the workflow, and return the outputs of the others."""
        outputs: T = super().fail(err)
        return outputs


class Condition(Generic[T]):
    """What follows a branch: another one, or the last."""

    def __init__(self, section: ConditionalSection) -> None:
        self._section = section

    def elif_(self, expr: Expression | bool) -> OpenCase[T]:
        """Begin a further branch."""
        if expr is None:
            raise AssertionError(f"Required an expression received None for condition:{self._section.name}.elif_(...)")
        case: OpenCase[T] = OpenCase(self._section, expr, "elif_")
        self._section.start_branch(case)
        return case

    def else_(self) -> LastCase[T]:
        """Begin the last branch."""
        case: LastCase[T] = LastCase(self._section, None, "else_")
        self._section.start_branch(case, last_case=True)
        return case

    def __repr__(self) -> str:
        return f"condition({self._section.name}) " + "".join(repr(case) for case in self._section.cases)


class BranchNode:
    """The entity of a conditional's node.

    :ivar cases: in order; the last one is ``else``
    """

    def __init__(self, name: str, cases: list[Case]) -> None:
        self.name, self.cases = name, cases


class ConditionalSection:
    """A conditional that becomes a node."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[Case] = []
        self._last = False
        self._compiled = 0
        ctx = FlyteContextManager.current_context()
        self._outer = FlyteContextManager.push_context(ctx.enter_conditional_section())

    def if_(self, expr: Expression | bool) -> OpenCase[Never]:
        """Begin the first branch. To a type checker a comparison of promises is a ``bool``; a real one is refused."""
        if expr is None:
            raise AssertionError(f"Required an expression received None for condition:{self.name}.if_(...)")
        case: OpenCase[Never] = OpenCase(self, expr, "if_")
        self.start_branch(case)
        return case

    def start_branch(self, case: Case, last_case: bool = False) -> None:
        """Take a branch."""
        self._last = last_case
        self.cases.append(case)

    def check_single(self) -> None:
        """Check that a branch is one node: what else it would need has no place in the workflow.

        :raises FlyteValidationException: naming the calls that have none
        """
        state = FlyteContextManager.current_context().compilation_state
        made = state.nodes[self._compiled :] if state is not None else []
        if len(made) > 1:
            names = ", ".join(str(node.flyte_entity.name) for node in made[:-1])
            raise FlyteValidationException(
                f"A branch of the conditional {self.name!r} calls more than one entity ({names} as well as"
                f" {made[-1].flyte_entity.name}): call the others before the conditional, or put them into a workflow"
                " and call that"
            )
        self._compiled += len(made)

    def end_branch(self) -> Any:
        """Go on after a branch; after the last one return the outputs."""
        if not self._last:
            return Condition(self)
        FlyteContextManager.restore(self._outer)
        state = self._outer.compilation_state
        if state is None:
            raise AssertionError("Branches can only be invoked within a workflow context!")
        node = self._node(state.next_node_id())
        state.add_node(node)
        names = self.output_names()
        if not names:
            return VoidPromise(node.id, NodeOutput(node, "placeholder"))
        return create_task_output([Promise(name, NodeOutput(node, name)) for name in names])

    def _node(self, node_id: str) -> Node:
        if len(self.cases) < 2:
            raise AssertionError("At least an if/else is required. Dangling If is not allowed")
        operands: dict[str, Promise] = {}
        for case in self.cases:
            for promise in case.expr.promises() if case.expr is not None else ():
                if promise.ref is not None:
                    operands.setdefault(operand_name(promise), promise)
        bindings = [Binding(name, promise.ref) for name, promise in sorted(operands.items())]
        upstream = {promise.ref.node: None for promise in operands.values()}
        waits = [node for node in upstream if node.id != GLOBAL_INPUT_NODE_ID]
        metadata = node_metadata(self.name)
        return Node(node_id, metadata, bindings, waits, BranchNode(self.name, self.cases))

    def output_names(self) -> list[str] | None:
        """Return the outputs that all branches have; None where one has none."""
        common: list[str] | None = None
        for case in self.cases:
            if case.err is not None and case.output_promise is None:
                continue
            if case.output_promise is None or isinstance(case.output_promise, VoidPromise):
                return None
            found = case.output_promise
            names = [each.var for each in found] if isinstance(found, tuple) else [found.var]
            common = names if common is None else [name for name in common if name in names]
        return common or []

    def __repr__(self) -> str:
        return f"condition({self.name}) " + "".join(repr(case) for case in self.cases)


class LocalExecutedConditionalSection(ConditionalSection):
    """A conditional of a local run: only the branch that is taken is carried out."""

    def __init__(self, name: str) -> None:
        self._selected: Case | None = None
        super().__init__(name)

    def start_branch(self, case: Case, last_case: bool = False) -> None:
        """Take a branch, and carry it out if its condition is the first that holds."""
        super().start_branch(case, last_case)
        if self._selected is None and (last_case or case.expr is None or case.expr.eval()):
            self._selected = case
            self._state(lambda state: state.take_branch())

    def _state(self, change: Callable[[Any], None]) -> None:
        state = FlyteContextManager.current_context().execution_state
        if state is not None:
            change(state)

    def end_branch(self) -> Any:
        """Go on after a branch; after the last one return the outputs of the one that was taken."""
        self._state(lambda state: state.branch_complete())
        if not self._last:
            return Condition(self)
        FlyteContextManager.restore(self._outer)
        selected = self._selected
        if selected is None or (selected.output_promise is None and selected.err is None):
            raise AssertionError("Bad conditional statements, did not resolve in a promise")
        if selected.output_promise is None:
            raise ValueError(selected.err)
        names = self.output_names()
        if names is None:
            return VoidPromise(self.name)
        found = selected.output_promise
        by_name = {each.var: each for each in (found if isinstance(found, tuple) else (found,))}
        return create_task_output([Promise(name, by_name[name].resolved()) for name in names])


class SkippedConditionalSection(ConditionalSection):
    """A conditional within a branch that is not taken."""

    def end_branch(self) -> Any:
        """Go on after a branch; after the last one return promises that hold nothing."""
        if not self._last:
            return Condition(self)
        FlyteContextManager.restore(self._outer)
        names = self.output_names()
        return VoidPromise(self.name) if not names else create_task_output([Promise(name, None) for name in names])


def conditional(name: str) -> ConditionalSection:
    """Begin a conditional, within a workflow.

    Branches are calls; the outputs that all branches have are the conditional's.

    :param name: shown by consoles
    :raises AssertionError: outside of a workflow
    """
    ctx = FlyteContextManager.current_context()
    if ctx.compilation_state is not None:
        return ConditionalSection(name)
    if ctx.execution_state is not None and ctx.execution_state.is_local_execution():
        if ctx.execution_state.branch_eval_mode is BranchEvalMode.BRANCH_SKIPPED:
            return SkippedConditionalSection(name)
        return LocalExecutedConditionalSection(name)
    raise AssertionError("Branches can only be invoked within a workflow context!")
