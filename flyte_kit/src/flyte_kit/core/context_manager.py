"""The context in which the SDK's calls happen: compiling, running locally, running in a container.

It is an immutable value in a context variable; ``with_context`` puts another in its place for a block.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from flyte_kit.core.data_persistence import FileAccessProvider, default_local_file_access_provider
from flyte_kit.core.execution_parameters import ExecutionParameters
from flyte_kit.core.secrets import SecretsManager
from flyte_kit.storage.local import temporary_folder

if TYPE_CHECKING:
    import pathlib

    from flyte_kit.configuration.serialization import SerializationSettings
    from flyte_kit.core.base_task import TaskResolverMixin
    from flyte_kit.core.node import Node

__all__ = [
    "BranchEvalMode",
    "CompilationState",
    "ExecutionParameters",
    "ExecutionState",
    "FlyteContext",
    "FlyteContextManager",
    "FlyteEntities",
    "OutputMetadata",
    "OutputMetadataTracker",
    "SecretsManager",
    "current_context",
]


@dataclass(eq=False, repr=False)
class CompilationState:
    """The workflow that is being put together.

    :ivar prefix: of node ids; ``d`` inside a dynamic task
    :ivar nodes: so far, in the order in which they were made
    :ivar task_resolver: of tasks that are defined in the body
    """

    prefix: str = ""
    mode: int = 1
    task_resolver: TaskResolverMixin | None = None
    nodes: list[Node] = field(default_factory=list)

    def add_node(self, n: Node) -> None:
        """Append a node."""
        self.nodes.append(n)

    def next_node_id(self) -> str:
        """Return the id of the node that is made next."""
        return f"{self.prefix}n{len(self.nodes)}"


class BranchEvalMode(Enum):
    """Whether calls within a conditional of a local run are carried out."""

    BRANCH_ACTIVE = "branch active"
    BRANCH_SKIPPED = "branch skipped"


class ExecutionMode(Enum):
    """What kind of run is going on."""

    TASK_EXECUTION = 0
    LOCAL_WORKFLOW_EXECUTION = 1
    LOCAL_TASK_EXECUTION = 2
    DYNAMIC_TASK_EXECUTION = 3
    EAGER_EXECUTION = 4
    EAGER_LOCAL_EXECUTION = 5
    LOCAL_DYNAMIC_TASK_EXECUTION = 6


_LOCAL_MODES = {
    ExecutionMode.LOCAL_WORKFLOW_EXECUTION,
    ExecutionMode.LOCAL_TASK_EXECUTION,
    ExecutionMode.EAGER_LOCAL_EXECUTION,
    ExecutionMode.LOCAL_DYNAMIC_TASK_EXECUTION,
}


@dataclass(eq=False, repr=False)
class ExecutionState:
    """A run that is going on.

    :ivar mode: None while a module is only being loaded
    :ivar branch_eval_mode: None outside of conditionals
    """

    working_dir: str = ""
    mode: ExecutionMode | None = None
    engine_dir: str = ""
    branch_eval_mode: BranchEvalMode | None = None
    user_space_params: ExecutionParameters | None = None

    Mode = ExecutionMode

    def with_params(self, **changes: Any) -> ExecutionState:
        """Return a state with some fields changed."""
        return replace(self, **changes)

    def take_branch(self) -> None:
        """Carry out the calls of the branch that begins."""
        self.branch_eval_mode = BranchEvalMode.BRANCH_ACTIVE

    def branch_complete(self) -> None:
        """Skip the calls of the branches that follow."""
        self.branch_eval_mode = BranchEvalMode.BRANCH_SKIPPED

    def is_local_execution(self) -> bool:
        """Tell whether everything runs in this process."""
        return self.mode in _LOCAL_MODES


@dataclass(frozen=True)
class OutputMetadata:
    """Facts about an output that travel beside it, for artifacts."""

    artifact: Any
    dynamic_partitions: dict[str, str] | None = None
    time_partition: Any = None
    additional_items: list[Any] | None = None


@dataclass(eq=False, repr=False)
class OutputMetadataTracker:
    """Output metadata by the identity of the object that a task returns."""

    output_metadata: dict[int, tuple[Any, OutputMetadata]] = field(default_factory=dict)

    def add(self, obj: Any, metadata: OutputMetadata) -> None:
        """Remember metadata of an object; the object is kept, so that its identity stays its own."""
        self.output_metadata[id(obj)] = (obj, metadata)

    def get(self, obj: Any) -> OutputMetadata | None:
        """Return what is known of an object."""
        found = self.output_metadata.get(id(obj))
        return found[1] if found else None


@dataclass(frozen=True, eq=False, repr=False)
class FlyteContext:
    """Everything that the SDK's calls depend on."""

    file_access: FileAccessProvider
    compilation_state: CompilationState | None = None
    execution_state: ExecutionState | None = None
    serialization_settings: SerializationSettings | None = None
    output_metadata_tracker: OutputMetadataTracker | None = None
    worker_queue: Any = None
    client: Any = None

    @property
    def user_space_params(self) -> ExecutionParameters | None:
        """What ``current_context()`` returns."""
        return self.execution_state.user_space_params if self.execution_state else None

    @property
    def local_mode(self) -> bool:
        """Whether everything runs in this process."""
        return self.execution_state is not None and self.execution_state.is_local_execution()

    def enter_conditional_section(self) -> FlyteContext:
        """Return the context of a conditional's branches: nodes that are made there are its own."""
        if self.compilation_state is not None:
            inner = CompilationState(self.compilation_state.prefix, task_resolver=self.compilation_state.task_resolver)
            return replace(self, compilation_state=inner)
        if self.execution_state is not None and self.execution_state.is_local_execution():
            skipped = self.execution_state.with_params(branch_eval_mode=BranchEvalMode.BRANCH_SKIPPED)
            return replace(self, execution_state=skipped)
        return self

    def with_execution_state(self, es: ExecutionState) -> FlyteContext:
        """Return a context in which that run goes on, and nothing is compiled."""
        return replace(self, execution_state=es, compilation_state=None)

    def with_compilation_state(self, c: CompilationState) -> FlyteContext:
        """Return a context that compiles."""
        return replace(self, compilation_state=c)

    def with_new_compilation_state(self) -> FlyteContext:
        """Return a context that compiles something new."""
        return replace(self, compilation_state=self.new_compilation_state())

    def with_file_access(self, fa: FileAccessProvider) -> FlyteContext:
        """Return a context with other paths."""
        return replace(self, file_access=fa)

    def with_keys_of(self, file: pathlib.Path | None) -> FlyteContext:
        """Return a context that opens stores with the keys of a configuration file; this one without a file."""
        if file is None or file == self.file_access.keys_file:
            return self
        return self.with_file_access(self.file_access.with_keys_of(file))

    def with_serialization_settings(self, ss: SerializationSettings) -> FlyteContext:
        """Return a context with settings to serialize with."""
        return replace(self, serialization_settings=ss)

    def with_output_metadata_tracker(self, t: OutputMetadataTracker) -> FlyteContext:
        """Return a context that collects metadata of outputs."""
        return replace(self, output_metadata_tracker=t)

    def with_worker_queue(self, wq: Any) -> FlyteContext:
        """Return a context whose calls become executions."""
        return replace(self, worker_queue=wq)

    def with_client(self, c: Any) -> FlyteContext:
        """Return a context with a client of the control plane."""
        return replace(self, client=c)

    def new_compilation_state(self, prefix: str = "") -> CompilationState:
        """Return the state of something new to compile."""
        return CompilationState(prefix=prefix)

    def new_execution_state(self, working_dir: str | os.PathLike[str] | None = None) -> ExecutionState:
        """Return the state of a new run, with the parameters of the current one."""
        folder = str(working_dir or self.file_access.get_random_local_path())
        return ExecutionState(working_dir=folder, user_space_params=self.user_space_params)

    def new_builder(self) -> FlyteContext:
        """Return this context: its ``with_`` methods return others."""
        return self

    def build(self) -> FlyteContext:
        """Return this context."""
        return self

    @staticmethod
    def current_context() -> FlyteContext:
        """Return the context of this thread or task."""
        return FlyteContextManager.current_context()


_current: contextvars.ContextVar[FlyteContext] = contextvars.ContextVar("flyte_kit_context")
_default: FlyteContext | None = None


class FlyteContextManager:
    """Access to the current context."""

    @staticmethod
    def current_context() -> FlyteContext:
        """Return the context of this thread or task; the default one where none was set."""
        found = _current.get(None)
        return found if found is not None else _default_context()

    @staticmethod
    @contextmanager
    def with_context(b: FlyteContext) -> Iterator[FlyteContext]:
        """Make ``b`` the context of a block."""
        before = _current.get(None)
        _current.set(b)
        try:
            yield b
        finally:
            _current.set(before if before is not None else _default_context())

    @staticmethod
    def push_context(ctx: FlyteContext) -> FlyteContext:
        """Make ``ctx`` the context and return the one before, for :meth:`restore`."""
        before = FlyteContextManager.current_context()
        _current.set(ctx)
        return before

    @staticmethod
    def restore(ctx: FlyteContext) -> None:
        """Make ``ctx`` the context again."""
        _current.set(ctx)


class FlyteEntities:
    """Every task, workflow and launch plan of this process, in the order in which they were made."""

    entities: list[Any] = []  # noqa: RUF012 - one list for the process, as flytekit has it


def _default_context() -> FlyteContext:
    global _default
    if _default is None:
        files = default_local_file_access_provider()
        folder = os.path.join(temporary_folder(), f"flyte-user-{os.urandom(6).hex()}")
        parameters = ExecutionParameters(tmp_dir=folder, raw_output_prefix=files.raw_output_prefix)
        _default = FlyteContext(files, execution_state=ExecutionState(folder, user_space_params=parameters))
    return _default


def current_context() -> ExecutionParameters:
    """Return what a running task can ask of its surroundings."""
    found = FlyteContextManager.current_context().user_space_params
    return found if found is not None else ExecutionParameters()
