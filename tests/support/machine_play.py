"""Plays the machine alone against a world of choices: random graphs, reports, aborts, refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flyteidl.core.catalog_pb2 import CACHE_MISS, CatalogReservation
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.identifier_pb2 import Identifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal, LiteralCollection, LiteralMap
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.workflow_pb2 import GateNode
from flyteidl.event.event_pb2 import DynamicWorkflowNodeMetadata, TaskNodeMetadata

from flyte_core.phases import TERMINAL_WORKFLOW_PHASES, TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import element_address, is_element
from flyte_propeller.machine.effects import (
    Ask,
    AskGraph,
    AskPast,
    DeleteTask,
    GatherOutputs,
    LaunchTask,
    Question,
    Step,
    WakeAt,
)
from flyte_propeller.machine.evaluate import evaluate
from flyte_propeller.machine.facts import BindingFailure, Facts, Graph, GraphFailure, Launch, PastNode, Refusal
from flyte_propeller.machine.state import AttemptKey, WorkflowState
from flyte_propeller.machine.workflow import Array, Node, NodeKind, Workflow
from flyte_propeller.shell.answers import unanswered

Choose = Callable[[int], int]
"""Return a number from 0 up to, and without, the given one."""
MOST_ELEMENTS = 3
START = datetime(2024, 1, 1, tzinfo=UTC)
TASK = TaskTemplate(id=Identifier(resource_type=1, project="p", domain="d", name="t", version="v"), type="python-task")
EARLIER = WorkflowExecutionIdentifier(project="p", domain="d", name="earlier")
PLAN = Identifier(resource_type=3, project="p", domain="d", name="l", version="v")
KINDS: tuple[NodeKind, ...] = ("task", "task", "task", "launch_plan", "gate")
USER = ExecutionError(code="Boom", message="user", kind=ExecutionError.USER)
SYSTEM = ExecutionError(code="Lost", message="system", kind=ExecutionError.SYSTEM)
REPORTS = (
    PhaseInfo(TaskPhase.QUEUED, 1),
    PhaseInfo(TaskPhase.INITIALIZING),
    PhaseInfo(TaskPhase.RUNNING, 1),
    PhaseInfo(TaskPhase.SUCCESS),
    PhaseInfo(TaskPhase.SUCCESS),
    PhaseInfo(TaskPhase.SUCCESS),
    PhaseInfo(TaskPhase.SUCCESS, has_futures=True),
    PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=USER),
    PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=SYSTEM),
    PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=USER),
    PhaseInfo(TaskPhase.PERMANENT_FAILURE),
)


def random_workflow(choose: Choose, *, size: int = 12) -> Workflow:
    """Return a graph of up to ``size`` tasks, launch plans and gates, with deadlines, retries and policies, and perhaps
    with a failure node.
    """
    count = choose(size + 1)
    upstream = [tuple(sorted({choose(i) for _ in range(choose(4))} - {0}) or [0]) for i in range(1, count + 1)]
    inner = {before for after in upstream for before in after}
    leaves = tuple(i for i in range(1, count + 1) if i not in inner) or (0,)
    edges = {0: (), **{i + 1: before for i, before in enumerate(upstream)}, count + 1: leaves}
    downstream: dict[int, list[int]] = {index: [] for index in edges}
    for index, before in edges.items():
        for one in before:
            downstream[one].append(index)
    nodes = [Node(0, "start-node", "start", downstream=tuple(downstream[0]))]
    nodes += [_task(choose, i, edges[i], tuple(downstream[i])) for i in range(1, count + 1)]
    nodes.append(Node(count + 1, "end-node", "end", upstream=leaves))
    failure = None
    if choose(3) == 0:
        failure = len(nodes)
        nodes.append(_task(choose, failure, (0,), ()))
    return Workflow(
        execution=WorkflowExecutionIdentifier(project="p", domain="d", name="x"),
        namespace="p-d",
        id="p:d:w",
        nodes=tuple(nodes),
        array_nodes=tuple(node.index for node in nodes if node.kind == "array"),
        start=0,
        end=count + 1,
        failure=failure,
        fail_immediately=choose(2) == 0,
        max_parallelism=choose(4),
        data_dir="s3://b/x",
        raw_output_prefix="s3://b/raw",
        inputs=LiteralMap(),
        has_outputs=False,
        owner={},
        recovers=EARLIER if choose(4) == 0 else None,
        overwrite_cache=choose(6) == 0,
    )


def random_graph(choose: Choose, ask: AskGraph) -> Graph:
    """Return a dynamic node's graph of one to three task nodes in a chain or side by side."""
    count, chained, first = 1 + choose(3), choose(2) == 0, ask.first
    inner = list(range(first + 1, first + 1 + count))
    end = first + 1 + count
    place = {"parent": ask.node, "parent_attempt": ask.attempt, "in_dynamic": True}
    nodes = [Node(first, "start-node", "start", downstream=tuple(inner[:1] if chained else inner), **place)]
    for index in inner:
        upstream = (index - 1,) if chained else (first,)
        downstream = (index + 1,) if chained else (end,)
        nodes.append(replace(_task(choose, index, upstream, downstream), **place))
    nodes.append(Node(end, "end-node", "end", upstream=tuple(inner[-1:] if chained else inner), **place))
    named = [replace(node, unique=f"g{first}-{node.index}") for node in nodes]
    return Graph(tuple(named), first, DynamicWorkflowNodeMetadata(id=TASK.id))


def _template(choose: Choose) -> TaskTemplate:
    """Return a task that is cached or not, serialized or not."""
    task = TaskTemplate()
    task.CopyFrom(TASK)
    task.interface.outputs.variables["o"].type.simple = 1
    task.metadata.discoverable = choose(3) == 0
    task.metadata.cache_serializable = choose(2) == 0
    return task


def _task(choose: Choose, index: int, upstream: tuple[int, ...], downstream: tuple[int, ...]) -> Node:
    limits = (None, None, timedelta(minutes=10))
    kind = KINDS[choose(len(KINDS))]
    node = Node(
        index,
        f"n{index}",
        kind,
        task=_template(choose) if kind == "task" else None,
        launch_plan=PLAN if kind == "launch_plan" else None,
        gate=GateNode(signal={"signal_id": f"n{index}"}) if kind == "gate" else None,
        upstream=upstream,
        downstream=downstream,
        max_attempts=1 + choose(3),
        execution_deadline=limits[choose(3)],
        active_deadline=limits[choose(3)],
    )
    if choose(4) or kind == "gate":
        return node
    element = replace(node, active_deadline=None)
    array = Array(
        element,
        parallelism=(None, 0, 1, 2)[choose(4)],
        min_successes=(None, 1)[choose(2)],
        own_inputs=choose(2) == 0,
        run_all=choose(2) == 0,
    )
    return replace(node, kind="array", task=None, launch_plan=None, array=array)


@dataclass
class Play:
    """A run of the machine, with everything that it has done.

    :ivar outside: attempts that exist, with their tokens
    :ivar steps: each with the state and the facts before it
    :ivar workflows: the workflow before each step
    """

    workflow: Workflow
    choose: Choose
    state: WorkflowState = field(default_factory=WorkflowState)
    now: datetime = START
    outside: dict[AttemptKey, str] = field(default_factory=dict)
    friendly: bool = False
    steps: list[tuple[WorkflowState, Facts, Step]] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)
    _launched: dict[AttemptKey, Any] = field(default_factory=dict)
    _gone: set[AttemptKey] = field(default_factory=set)
    _timers: set[int] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """The workflow is terminal and nothing is left of it."""
        return self.state.phase in TERMINAL_WORKFLOW_PHASES and not self.state.cleanup

    def step(self, facts: Facts) -> Step:
        """Evaluate, answer what is asked, and do what is wanted."""
        while True:
            step = evaluate(self.workflow, self.state, facts)
            asked = unanswered(step.effects, facts)
            graphless = [e for e in step.effects if isinstance(e, AskGraph) and e not in facts.graphs]
            if not asked and not graphless:
                break
            for question in asked:
                facts = self._answered(facts, question)
            facts = replace(facts, graphs={**facts.graphs, **{ask: self._graph(ask) for ask in graphless}})
        self.steps.append((self.state, facts, step))
        self.workflows.append(self.workflow)
        self.state = step.state
        self.workflow = self.workflow.grown(step.grown) if step.grown else self.workflow
        for effect in step.effects:
            self._do(effect)
        for key in [*self.outside]:
            if self._is_over(key):
                del self.outside[key]
        return step

    def _is_over(self, key: AttemptKey) -> bool:
        """Return whether nothing is left of a child or a gate: it has said its end, and needs no deletion."""
        node = self.state.running_at(key[0])
        current = node is not None and node.attempt == key[1] and node.task is not None
        return self.workflow.at(key[0]).task is None and not current and key not in self.state.cleanup

    def _answered(self, facts: Facts, question: Question) -> Facts:
        if isinstance(question, Ask):
            return replace(facts, inputs={**facts.inputs, question.node: self._answer(question.node)})
        if isinstance(question, AskPast):
            past = PastNode(outputs=LiteralMap() if self.choose(2) else None, checkpoint="s3://b/earlier")
            return replace(facts, past={**facts.past, question.node: past})
        if isinstance(question, GatherOutputs):
            return replace(facts, gathered={**facts.gathered, question.node: self._outcome()})
        answer = TaskNodeMetadata(cache_status=CACHE_MISS, reservation_status=CatalogReservation.RESERVATION_ACQUIRED)
        if not self.friendly:
            answer = TaskNodeMetadata(cache_status=self.choose(8), reservation_status=self.choose(5))
        return replace(facts, catalog={**facts.catalog, question: answer})

    def _answer(self, node: int) -> LiteralMap | BindingFailure:
        if is_element(node) or self.workflow.nodes[node].kind != "array":
            return self._outcome() if node and not is_element(node) else LiteralMap()
        if self.choose(20) == 0:
            return LiteralMap()
        items = [Literal()] * self.choose(MOST_ELEMENTS + 1)
        return LiteralMap(literals={"x": Literal(collection=LiteralCollection(literals=items))})

    def _outcome(self) -> LiteralMap | BindingFailure:
        return BindingFailure("no such output") if self.choose(40) == 0 else LiteralMap()

    def _anything(self) -> int:
        """Return the index of a node that there may be, or the address of an element."""
        index = self.choose(14)
        return element_address(index, self.choose(MOST_ELEMENTS)) if self.choose(2) else index

    def _graph(self, ask: AskGraph) -> Graph | GraphFailure:
        deep = len(self.workflow.nodes) > 60
        return GraphFailure(USER) if deep or self.choose(8) == 0 else random_graph(self.choose, ask)

    def _do(self, effect: object) -> None:
        if isinstance(effect, LaunchTask):
            key = (effect.node, effect.attempt)
            if self.choose(15) == 0:
                self._launched[key] = REPORTS[len(REPORTS) - 1 - self.choose(4)]
            else:
                self._launched[key] = Launch(self.outside.setdefault(key, f"uid-{len(self.steps)}-{key}"))
        elif isinstance(effect, DeleteTask):
            self.outside.pop((effect.node, effect.attempt), None)
            self._gone.add((effect.node, effect.attempt))
        elif isinstance(effect, WakeAt):
            self._timers.add(effect.node)

    def random_facts(self, *, abort: bool = True) -> Facts:
        """Return facts of which some are true, some outdated, some about nothing that there is."""
        launched = self._some(self._launched)
        observed = {key: REPORTS[self.choose(len(REPORTS))] for key in self.outside if self.choose(2)}
        if self.choose(6) == 0:
            observed[self._anything(), self.choose(3)] = REPORTS[self.choose(len(REPORTS))]
        gone = self._some(dict.fromkeys(self._gone))
        self._gone -= set(gone)
        for key in launched:
            del self._launched[key]
        self.now += timedelta(seconds=self.choose(400))
        refusal = Refusal("no", "Refused", None if self.choose(2) else self.choose(14), closed=self.choose(2) == 0)
        return Facts(
            now=self.now,
            abort="stop" if abort and self.choose(60) == 0 else None,
            launched=launched,
            observed=observed,
            gone=frozenset(gone),
            timers=frozenset(self._timers) if self.choose(2) else frozenset(),
            looked_at=frozenset({*range(14), *self._everything()}) if self.choose(4) == 0 else frozenset(),
            refusal=refusal if self.choose(80) == 0 else None,
        )

    def _some(self, things: dict[AttemptKey, Any]) -> dict[AttemptKey, Any]:
        return {key: value for key, value in things.items() if self.choose(4)}

    def _everything(self) -> set[int]:
        return {*self.state.active, *self.state.elements, *(index for index, _ in self.state.cleanup)}

    def friendly_facts(self) -> Facts:
        """Return all that is true, each attempt a success; from now on the catalog has a reservation for everybody."""
        self.friendly = True
        self.now += timedelta(seconds=3)
        facts = Facts(
            now=self.now,
            launched=dict(self._launched),
            observed={key: PhaseInfo(TaskPhase.SUCCESS) for key in self.outside},
            gone=frozenset(self._gone),
            looked_at=frozenset(self._everything()),
        )
        self._launched, self._gone = {}, set()
        return facts
