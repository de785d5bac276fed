"""Workflows put together call by call, by a program rather than a function."""

from __future__ import annotations

from typing import Any

from flyteidl.core.literals_pb2 import Literal

from flyte_kit.core.bindings import Binding, bind
from flyte_kit.core.condition import ConditionalSection, conditional
from flyte_kit.core.constants import DEFAULT_FAILURE_NODE_ID
from flyte_kit.core.context_manager import CompilationState, FlyteContext, FlyteContextManager
from flyte_kit.core.interface import Interface
from flyte_kit.core.node import GLOBAL_START_NODE, Node, input_promise
from flyte_kit.core.node_creation import create_node
from flyte_kit.core.promise import NodeOutput, Promise, VoidPromise
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.workflow import WorkflowBase, WorkflowFailurePolicy, WorkflowMetadata, WorkflowMetadataDefaults
from flyte_kit.exceptions.user import FlyteValidationException, FlyteValueException

Outputs = dict[tuple[int, str], Literal]


class ImperativeWorkflow(WorkflowBase):
    """A workflow that grows: inputs, calls and outputs are added one by one.

    :param name: full name; no module is put before it
    """

    def __init__(
        self, name: str, failure_policy: WorkflowFailurePolicy | None = None, interruptible: bool = False
    ) -> None:
        self.compilation_state = CompilationState(prefix="")
        self._inputs: dict[str, Promise] = {}
        self._unbound: set[str] = set()
        super().__init__(
            name=name,
            workflow_metadata=WorkflowMetadata(failure_policy or WorkflowFailurePolicy.FAIL_IMMEDIATELY),
            workflow_metadata_defaults=WorkflowMetadataDefaults(interruptible),
            python_interface=Interface(),
        )

    @property
    def nodes(self) -> list[Node]:
        """Its calls so far."""
        return self.compilation_state.nodes

    @property
    def inputs(self) -> dict[str, Promise]:
        """Promises of its inputs."""
        return self._inputs

    def _compiling(self) -> Any:
        ctx = FlyteContext.current_context()
        if ctx.compilation_state is not None:
            raise RuntimeError("Can't already be compiling")
        return FlyteContextManager.with_context(ctx.with_compilation_state(self.compilation_state))

    def add_workflow_input(self, input_name: str, python_type: Any) -> Promise:
        """Add an input and return its promise."""
        if input_name in self._inputs:
            raise FlyteValidationException(f"Input {input_name} has already been specified for wf {self.name}.")
        self._python_interface = self._python_interface.with_inputs({input_name: python_type})
        self._inputs[input_name] = input_promise(input_name)
        self._unbound.add(input_name)
        return self._inputs[input_name]

    def add_entity(self, entity: Any, **kwargs: Any) -> Node:
        """Add a call and return its node."""
        with self._compiling():
            node: Node = create_node(entity, **kwargs)
        for binding in node.bindings:
            self._unbound -= {output.var for output in binding.outputs() if output.node is GLOBAL_START_NODE}
        return node

    def add_task(self, task: Any, **kwargs: Any) -> Node:
        """Add the call of a task."""
        return self.add_entity(task, **kwargs)

    def add_launch_plan(self, launch_plan: Any, **kwargs: Any) -> Node:
        """Add the call of a launch plan."""
        return self.add_entity(launch_plan, **kwargs)

    def add_subwf(self, sub_wf: Any, **kwargs: Any) -> Node:
        """Add the call of a workflow."""
        return self.add_entity(sub_wf, **kwargs)

    def create_conditional(self, name: str) -> ConditionalSection:
        """Begin a conditional; its calls are added as they are made."""
        ctx = FlyteContext.current_context()
        if ctx.compilation_state is not None:
            raise RuntimeError("Can't already be compiling")
        FlyteContextManager.push_context(ctx.with_compilation_state(self.compilation_state))
        return conditional(name)

    def add_workflow_output(self, output_name: str, p: Any, python_type: Any = None) -> None:
        """Add an output.

        :param p: a promise, or a list or dictionary of promises
        :param python_type: needed for lists and dictionaries
        """
        if output_name in self._python_interface.outputs:
            raise FlyteValidationException(f"Output {output_name} already exists in workflow {self.name}")
        if python_type is None:
            if isinstance(p, list | dict):
                raise FlyteValidationException(
                    f"If specifying a list or dict of Promises, you must specify the python_type type for {output_name}"
                    " starting with the container type (e.g. List[int]"
                )
            python_type = p.ref.node.flyte_entity.python_interface.outputs[p.var]
        with self._compiling() as ctx:
            tree = bind(ctx, TypeEngine.to_literal_type(python_type), p, python_type)
        self._output_bindings.append(Binding(output_name, tree))
        self._python_interface = self._python_interface.with_outputs({output_name: python_type})

    def add_on_failure_handler(self, entity: Any) -> Node:
        """Say what runs when the workflow has failed; it takes the same inputs."""
        self.check_failure_handler(entity)
        with self._compiling():
            node: Node = create_node(entity, **self._inputs)
        # The handler is no part of the graph.
        self.compilation_state.nodes.remove(node)
        node.id = DEFAULT_FAILURE_NODE_ID
        self.failure_node = node
        return node

    def ready(self) -> bool:
        """Tell whether it has calls and all its inputs are used."""
        return bool(self.nodes) and not self._unbound

    def execute(self, **kwargs: Any) -> Any:
        """Run the calls in order, on promises that hold literals."""
        if not self.ready():
            raise FlyteValidationException(
                f"Workflow {self.name} is not ready: it needs a call, and inputs {sorted(self._unbound)} are not used"
            )
        known: Outputs = {(id(GLOBAL_START_NODE), name): promise.resolved() for name, promise in kwargs.items()}
        for node in self.nodes:
            self._run_node(node, known)
        names = list(self.python_interface.outputs)
        if not names:
            return VoidPromise(self.name)
        literals = [binding.literal(lambda output: _find(known, output)) for binding in self._output_bindings]
        promises = [Promise(name, literal) for name, literal in zip(names, literals, strict=True)]
        return promises[0] if len(promises) == 1 else tuple(promises)

    @staticmethod
    def _run_node(node: Node, known: Outputs) -> None:
        entity = node.flyte_entity
        inputs = {b.var: Promise(b.var, b.literal(lambda output: _find(known, output))) for b in node.bindings}
        result = entity(**inputs)
        names = list(entity.python_interface.outputs)
        if result is None or isinstance(result, VoidPromise):
            return
        if not names:
            raise FlyteValueException(result, f"{entity.name} says it returns nothing.")
        promises = list(result) if isinstance(result, tuple) else [result]
        for name, promise in zip(names, promises, strict=True):
            known[id(node), name] = promise.resolved()


def _find(known: Outputs, output: NodeOutput) -> Literal:
    promise = Promise(output.var, known[id(output.node), output.var], attr_path=output.attr_path)
    return promise.resolved()


Workflow = ImperativeWorkflow
