"""Mapping a launch plan, or a task that is registered already, over lists."""

from __future__ import annotations

import math
from typing import Any, Generic

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.workflow_pb2 import ArrayNode as ArrayNodeMessage
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.core.bindings import Binding
from flyte_kit.core.calls import call_entity, create_and_link_node, translate_inputs_to_literals
from flyte_kit.core.constants import ARRAY_NODE_SUBNODE_NAME
from flyte_kit.core.context_manager import ExecutionMode, FlyteContext
from flyte_kit.core.interface import Interface, transform_interface_to_list_interface
from flyte_kit.core.launch_plan import LaunchPlan, ReferenceLaunchPlan
from flyte_kit.core.node import node_metadata
from flyte_kit.core.promise import Promise, VoidPromise
from flyte_kit.core.task import ReferenceTask
from flyte_kit.core.type_variables import R
from flyte_kit.loggers import logger


class ArrayNode(Generic[R]):
    """An entity that is called for every element of its list inputs.

    The parameters are those of :func:`flyte_kit.core.array_node_map_task.map_task`.
    """

    def __init__(
        self,
        target: Any,
        bindings: list[Binding] | None = None,
        concurrency: int | None = None,
        min_successes: int | None = None,
        min_success_ratio: float | None = None,
        metadata: NodeMetadata | None = None,
        run_all_sub_nodes: bool = False,
    ) -> None:
        outputs = target.python_interface.outputs
        if len(outputs) > 1:
            raise ValueError("Only tasks with a single output are supported in map tasks.")
        self.target = target
        self.id = target.name
        self.bindings = bindings or []
        self.concurrency, self.run_all_sub_nodes = concurrency, run_all_sub_nodes
        self.min_successes = min_successes or 0
        self.min_success_ratio = None if min_successes is not None else min_success_ratio or 1.0
        self.bound_inputs: set[str] = set()
        self._metadata = metadata
        plan = isinstance(target, LaunchPlan)
        fixed = set(target.fixed_inputs.literals) if plan and not isinstance(target, ReferenceLaunchPlan) else set()
        optional = min_success_ratio is not None and min_success_ratio != 1 and bool(outputs)
        self.python_interface: Interface = transform_interface_to_list_interface(
            target.python_interface, self.bound_inputs, fixed, optional
        )
        self.execution_mode = ArrayNodeMessage.FULL_STATE if plan else ArrayNodeMessage.MINIMAL_STATE
        self.data_mode = ArrayNodeMessage.SINGLE_INPUT_FILE if plan else ArrayNodeMessage.INDIVIDUAL_INPUT_FILES

    @property
    def name(self) -> str:
        """Name of what is called."""
        return str(self.target.name)

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of its node."""
        return self._metadata or node_metadata(self.name)

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.LOCAL_TASK_EXECUTION

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Call it with lists."""
        ctx = FlyteContext.current_context()
        if ctx.compilation_state is not None and not self.bindings:
            inner = create_and_link_node(
                ctx,
                self.target,
                overridden_interface=self.python_interface,
                add_node_to_compilation_state=False,
                node_id=ARRAY_NODE_SUBNODE_NAME,
                **kwargs,
            )
            first = inner[0] if isinstance(inner, tuple) else inner
            self.bindings = first.ref.node.bindings
        lists: R = call_entity(self, *args, **kwargs)
        return lists

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Call the entity for one element after the other."""
        lists = translate_inputs_to_literals(
            ctx, kwargs, self.python_interface.typed.inputs, self.python_interface.inputs
        )
        elements = {name: list(literal.collection.literals) for name, literal in lists.items()}
        count = len(next(iter(elements.values()), []))
        needed = self.min_successes or math.ceil(count * (self.min_success_ratio or 1))
        result = Literal()
        result.collection.SetInParent()
        failures = 0
        for index in range(count):
            inputs = {name: Promise(name, literals[index]) for name, literals in elements.items()}
            try:
                self._add(result, self.target(**inputs))
            except Exception:
                failures += 1
                if count - failures < needed:
                    logger.error("%s: too many elements have failed (%s of %s)", self.name, failures, count)
                    raise
                result.collection.literals.add().scalar.none_type.SetInParent()
        names = list(self.python_interface.outputs)
        return Promise(names[0], result) if names else VoidPromise(self.name)

    @staticmethod
    def _add(result: Literal, value: Any) -> None:
        if isinstance(value, Promise):
            result.collection.literals.add().CopyFrom(value.resolved())


def array_node(
    target: Any,
    concurrency: int | None = None,
    min_success_ratio: float | None = None,
    min_successes: int | None = None,
    run_all_sub_nodes: bool = False,
) -> ArrayNode:
    """Map a launch plan, or a task that is registered already, over lists.

    :raises ValueError: for anything else
    """
    if not (isinstance(target, LaunchPlan | ReferenceTask) or hasattr(target, "registered_id")):
        raise ValueError("Only LaunchPlans and ReferenceTasks are supported for now.")
    return ArrayNode(
        target=target,
        concurrency=concurrency,
        min_successes=min_successes,
        min_success_ratio=min_success_ratio,
        run_all_sub_nodes=run_all_sub_nodes,
    )
