"""Tasks that run from their template alone, in an image that does not have the user's code."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager
from flyte_kit.core.tracker import TrackedInstance
from flyte_kit.core.type_engine import TypeEngine

T = TypeVar("T")


class ShimTaskExecutor(TrackedInstance, Generic[T]):
    """The code of such a task: it knows the template and the inputs, and nothing else."""

    def execute_from_model(self, tt: TaskTemplate, **kwargs: Any) -> Any:
        """Run the task."""
        raise NotImplementedError(f"{type(self).__name__}.execute_from_model is missing")


class ExecutableTemplateShimTask:
    """A template with its code, as a container's entrypoint runs it.

    :param tt: the template
    :param executor_type: the code
    """

    def __init__(self, tt: TaskTemplate, executor_type: type[ShimTaskExecutor[Any]]) -> None:
        self.task_template = tt
        self.executor_type = executor_type
        self.executor = executor_type()

    @property
    def name(self) -> str:
        """Full name."""
        return str(self.task_template.id.name)

    def dispatch_execute(self, ctx: FlyteContext, input_literal_map: LiteralMap) -> LiteralMap:
        """Run it on literals; Python's types are guessed from the template."""
        interface = self.task_template.interface
        with FlyteContextManager.with_context(ctx) as exec_ctx:
            types = TypeEngine.guess_python_types(interface.inputs.variables)
            inputs = TypeEngine.literal_map_to_kwargs(exec_ctx, input_literal_map, types)
            result = self.executor.execute_from_model(self.task_template, **inputs)
            if isinstance(result, LiteralMap):
                return result
            names = list(interface.outputs.variables)
            values = {names[0]: result} if len(names) == 1 else dict(zip(names, result or (), strict=True))
            outputs = LiteralMap()
            for name, value in values.items():
                expected = interface.outputs.variables[name].type
                python_type = TypeEngine.guess_python_type(expected)
                transformer = TypeEngine.get_transformer(python_type)
                literal = transformer.to_literal(exec_ctx, value, python_type, expected)
                outputs.literals[name].CopyFrom(literal)
            return outputs
