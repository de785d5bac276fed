"""Nodes made by name, for order without data."""

from __future__ import annotations

from typing import Any

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.node import Node
from flyte_kit.core.promise import Promise, VoidPromise
from flyte_kit.exceptions.user import FlyteAssertion


def create_node(entity: Any, *args: Any, **kwargs: Any) -> Any:
    """Make a node that calls an entity, and return the node.

    Its outputs are attributes (``node.o0``) and items of ``node.outputs``; ``a >> b`` makes an order.

    :raises FlyteAssertion: for arguments without a name, or outside of a workflow
    """
    if args:
        raise FlyteAssertion(
            f"Only keyword args are supported to pass inputs to workflows and tasks. {len(args)} given"
        )
    ctx = FlyteContext.current_context()
    if ctx.compilation_state is not None:
        result = entity(**kwargs)
        node: Node = _node_of(result)
        node.set_outputs({promise.var: promise for promise in _promises(result)})
        return node
    if ctx.local_mode:
        result = entity(**kwargs)
        if result is None or isinstance(result, VoidPromise):
            return result
        return LocalNode(_promises(result))
    raise FlyteAssertion("create_node is for the body of a workflow")


def _promises(result: Any) -> list[Promise]:
    if isinstance(result, Promise):
        return [result]
    return list(result) if isinstance(result, tuple) else []


def _node_of(result: Any) -> Node:
    first = result[0] if isinstance(result, tuple) else result
    node: Node = first.ref.node
    return node


class LocalNode:
    """What stands for a node on a local run."""

    def __init__(self, promises: list[Promise]) -> None:
        self.outputs = {promise.var: promise for promise in promises}

    def __getattr__(self, name: str) -> Promise:
        outputs = self.__dict__.get("outputs", {})
        if name in outputs:
            return outputs[name]  # type: ignore[no-any-return]
        raise AttributeError(name)

    def __getitem__(self, index: int) -> Promise:
        return list(self.outputs.values())[index]

    def runs_before(self, other: Any) -> None:
        """Do nothing: on a local run calls follow each other as they stand."""

    def __rshift__(self, other: Any) -> Any:
        return other

    def with_overrides(self, *args: Any, **kwargs: Any) -> LocalNode:
        """Do nothing: a local run has no resources to ask for."""
        return self
