"""Small workflows, what happens to their attempts, and how they must end whatever goes wrong around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flyte_core.phases import WorkflowPhase
from job_specs import constant, job, node, promise, template

OK, FLAKY, BROKEN, HANGS = "ok", "flaky", "broken", "hangs"
"""Fates of an attempt: succeeds; fails retryably; fails for good; never ends by itself."""
TASK, PLAN, WAIT, APPROVE, SLEEP, SUB = "task", "plan", "wait", "approve", "sleep", "sub"
"""Kinds of nodes. The fate of a launch plan is that of the execution that it starts; that of a gate says what becomes
of its signal: set, set to a refusal (broken), never set (hangs)."""
LIMIT = "1000s"
BUILD_FAILED = "DynamicWorkflowBuildFailed"
SLEEP_TIME = "30s"
SUCCESS, FAILED = WorkflowPhase.SUCCESS, WorkflowPhase.FAILED


@dataclass(frozen=True)
class Task:
    """A node.

    :ivar fates: of its attempts, those not counted that the platform lost; the last one stays
    :ivar makes: the graph that it leaves in place of outputs, whose last node gives the output
    :ivar elements: of a map: how many; its list is 0, 1, 2, …, and each has the attempts of a task
    :ivar of_elements: of a map: fates of elements that differ
    :ivar at_once: of a map: elements at the same time; None where they take places of the workflow
    :ivar needed: of a map: elements that must succeed
    """

    after: tuple[str, ...] = ()
    fates: tuple[str, ...] = (OK,)
    attempts: int = 1
    execution_deadline: str = ""
    active_deadline: str = ""
    makes: Mapping[str, Task] = field(default_factory=dict)
    kind: str = TASK
    elements: int = 0
    of_elements: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    at_once: int | None = 0
    needed: int | None = None

    def fates_of(self, element: int | None) -> tuple[str, ...]:
        """Return the fates of the task's attempts, or of those of an element."""
        return self.fates if element is None else self.of_elements.get(element, self.fates)


@dataclass(frozen=True)
class Scenario:
    """A workflow, and its only right outcome.

    :ivar result: value of the workflow's output, for those that succeed
    :ivar code: of the error, for those that fail
    :ivar skipped: nodes that are skipped
    :ivar metadata: of the task of all nodes
    :ivar within: nodes of the sub-workflow that nodes of the kind SUB run
    :ivar handler: failure node of that sub-workflow
    :ivar ran: nodes that have succeeded in the end, by their unique ids
    """

    name: str
    tasks: Mapping[str, Task]
    phase: WorkflowPhase = SUCCESS
    code: str = ""
    result: int = 0
    policy: str = "FAIL_IMMEDIATELY"
    parallelism: int = 0
    failure: bool = False
    skipped: tuple[str, ...] = ()
    failure_makes: Mapping[str, Task] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    within: Mapping[str, Task] = field(default_factory=dict)
    handler: Task | None = None
    ran: tuple[str, ...] = ()

    @property
    def serialized(self) -> bool:
        """Of equal nodes only one computes."""
        return bool(self.metadata.get("cacheSerializable"))

    def fate(self, node: str, user_attempt: int) -> str:
        """Return what becomes of that attempt."""
        fates = self._fates(node)
        return fates[min(user_attempt, len(fates) - 1)]

    def changes_fate(self, node: str) -> bool:
        """Return whether the node's attempts end differently."""
        return len(self._fates(node)) > 1

    def _fates(self, node: str) -> tuple[str, ...]:
        name, element = _of(node)
        return self.task(name).fates_of(element)

    def most_attempts(self, node: str) -> int:
        """Return how many attempts the user's budget allows."""
        return self.task(_of(node)[0]).attempts

    def job(self, node: str) -> bytes:
        """Return what the node's task leaves in place of outputs; nothing where it leaves outputs."""
        return job_of(self.task(node).makes)

    def task(self, node: str) -> Task:
        """Return what is said of a node, by its id within the execution: ``a``, or ``a-1-b`` within attempt 1 of it."""
        tasks, rest = {**self.tasks, HANDLER: Task(makes=self.failure_makes)}, node
        while rest not in tasks:
            name, _, rest = rest.partition("-")
            if name not in tasks:
                return Task()
            around = tasks[name]
            inner = {**self.within, HANDLER: self.handler or Task()} if around.kind == SUB else {**around.makes}
            tasks, rest = inner, rest.partition("-")[2]
        return tasks[rest]


def _of(node: str) -> tuple[str, int | None]:
    """Return the node of the scenario, and the element where the pod is that of one: ``m-0-n3``."""
    name, _, element = node.partition("-0-n")
    return name, int(element) if element else None


HANDLER = "fn0"
"""Id of every failure node."""
CACHED = {"discoverable": True, "discoveryVersion": "1"}
SERIALIZED = {"discoverable": True, "discoveryVersion": "2", "cacheSerializable": True}
TWICE = {"a": Task(), "b": Task(("a",), (FLAKY, OK), 2), "c": Task(("a",), (FLAKY, OK), 2), "d": Task(("b", "c"))}
"""Two of its nodes have the same task and inputs."""
AFTER = "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE"
GROWN = {"b": Task(), "c": Task(("b",), (FLAKY, OK), 2), "d": Task(("c",))}
SCENARIOS = (
    Scenario("single", {"a": Task()}, result=2),
    Scenario("chain", {"a": Task(), "b": Task(("a",), (FLAKY, OK), 2), "c": Task(("b",))}, result=4),
    Scenario(
        "narrow",
        {"a": Task(), "b": Task(("a",)), "c": Task(("a",), (FLAKY, OK), 3), "d": Task(("b", "c"))},
        result=7,
        parallelism=1,
    ),
    Scenario("at-once", {"a": Task(), "b": Task(("a",), (BROKEN,), 3), "c": Task(("a",))}, FAILED, "broken"),
    Scenario(
        "after",
        {"x": Task((), (BROKEN,)), "y": Task(), "z": Task(("y",)), "j": Task(("x", "z"))},
        FAILED,
        "broken",
        policy=AFTER,
        failure=True,
        skipped=("j", "end-node"),
    ),
    Scenario("exhausted", {"a": Task((), (FLAKY,), 2)}, FAILED, "RetriesExhausted|flaky", failure=True),
    Scenario("deadline", {"a": Task((), (HANGS, OK), 9, execution_deadline=LIMIT)}, result=2),
    Scenario("hopeless", {"a": Task((), (HANGS,), 9, active_deadline=LIMIT)}, FAILED, "Timeout"),
    Scenario("dynamic", {"a": Task(makes=GROWN), "z": Task(("a",))}, result=14),
    Scenario(
        "dynamic-again", {"a": Task((), (FLAKY, OK), 2, makes=GROWN), "y": Task(), "z": Task(("a", "y"))}, result=16
    ),
    Scenario("dynamic-in-dynamic", {"a": Task(makes={"b": Task(makes=GROWN)})}, result=13, parallelism=1),
    Scenario(
        "dynamic-broken",
        {"a": Task((), (OK,), 3, makes={"b": Task(), "c": Task((), (BROKEN,)), "d": Task(("b", "c"))}), "y": Task()},
        FAILED,
        "broken",
        failure=True,
    ),
    Scenario(
        "dynamic-hopeless",
        {
            "a": Task(
                (),
                (OK,),
                2,
                makes={
                    "b": Task(),
                    "h": Task((), (HANGS,), active_deadline=LIMIT),
                    "d": Task(("b",)),
                    "e": Task(("d",)),
                },
            )
        },
        FAILED,
        "RetriesExhausted|DynamicNodeFailing",
    ),
    Scenario("dynamic-malformed", {"a": Task((), (OK,), 3, makes={"b": Task(("none",))})}, FAILED, BUILD_FAILED),
    Scenario(
        "failure-dynamic", {"a": Task((), (BROKEN,)), "y": Task()}, FAILED, "broken", failure=True, failure_makes=GROWN
    ),
    Scenario("wide", {f"n{i}": Task() for i in range(8)}, result=2, parallelism=3),
    Scenario(
        "map",
        {"m": Task((), (OK,), 2, elements=4, of_elements={1: (FLAKY, OK)}, at_once=2), "s": Task(("m",))},
        result=1 + 1 + 2 + 3 + 4,
    ),
    Scenario(
        "tolerant-map",
        {
            "m": Task((), (FLAKY, OK), 3, elements=3, of_elements={0: (BROKEN,)}, at_once=None, needed=2),
            "a": Task(),
            "s": Task(("m", "a")),
        },
        result=1 + 2 + 3 + 2,
        parallelism=2,
    ),
    Scenario(
        "broken-map",
        {"m": Task((), (HANGS,), 9, elements=3, of_elements={2: (FLAKY,)}), "a": Task((), (HANGS,))},
        FAILED,
        "RetriesExhausted|flaky",
        failure=True,
    ),
    Scenario(
        "slow-map",
        {"m": Task((), (HANGS, OK), 9, execution_deadline=LIMIT, elements=2), "s": Task(("m",))},
        result=1 + 1 + 2,
    ),
    Scenario("cached", TWICE, result=7, metadata=CACHED),
    Scenario("cached-again", TWICE, result=7, metadata=CACHED),
    Scenario("serialized", TWICE, result=7, metadata=SERIALIZED),
    Scenario("serialized-narrow", TWICE, result=7, metadata=SERIALIZED, parallelism=1),
    Scenario("plan", {"a": Task(), "p": Task(("a",), kind=PLAN), "b": Task(("p",))}, result=4),
    Scenario("plans", {f"p{i}": Task(kind=PLAN) for i in range(4)}, result=2, parallelism=2),
    Scenario("plan-fails", {"p": Task((), (BROKEN,), 3, kind=PLAN), "a": Task()}, FAILED, "broken", failure=True),
    Scenario("plan-deadline", {"p": Task((), (HANGS, OK), 9, execution_deadline=LIMIT, kind=PLAN)}, result=2),
    Scenario(
        "plans-beside",
        {**{f"p{i}": Task((), (HANGS,), kind=PLAN) for i in range(4)}, "q": Task((), (BROKEN,))},
        FAILED,
        "broken",
    ),
    Scenario(
        "gates",
        {
            "s": Task(kind=SLEEP),
            "w": Task(("s",), kind=WAIT),
            "ok": Task(("w",), kind=APPROVE),
            "b": Task(("ok",)),
        },
        result=6,
    ),
    Scenario("rejected", {"ok": Task((), (BROKEN,), kind=APPROVE), "a": Task()}, FAILED, "ReceivedRejectSignal"),
    Scenario(
        "never-set",
        {"w": Task((), (HANGS,), 2, execution_deadline=LIMIT, kind=WAIT)},
        FAILED,
        "RetriesExhausted|TimeoutExpired",
    ),
    Scenario(
        "handled",
        {"s": Task(kind=SUB), "a": Task()},
        FAILED,
        "broken",
        within={"x": Task((), (BROKEN,)), "y": Task(), "p": Task(("y",), kind=PLAN)},
        handler=Task(),
        ran=("s-0-fn0",),
    ),
    Scenario(
        "handler-fails",
        {"s": Task(kind=SUB)},
        FAILED,
        "RetriesExhausted|flaky",
        within={"x": Task((), (BROKEN,)), "y": Task(("x",))},
        handler=Task((), (FLAKY,), 2),
        failure=True,
        ran=("fn0",),
    ),
)


@dataclass(frozen=True)
class Launched:
    """A scenario under way, as one execution.

    :ivar name: of the execution
    :ivar recovers: name of the one that it recovers
    """

    scenario: Scenario
    name: str
    namespace: str = "p-d"
    recovers: str = ""

    def manifest(self) -> dict[str, Any]:
        """Return the FlyteWorkflow as the control plane creates it."""
        scenario = self.scenario
        spec = _graph(scenario.name, scenario.tasks, Task() if scenario.failure else None)
        spec["onFailurePolicy"] = scenario.policy
        subs = {"within": _graph("within", scenario.within, scenario.handler)} if scenario.within else {}
        recovery = {"project": "p", "domain": "d", "name": self.recovers} if self.recovers else {}
        return {
            "apiVersion": "flyte.lyft.com/v1alpha1",
            "kind": "FlyteWorkflow",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {"execution-id": self.name},
                "finalizers": ["flyte.org/finalizer"],
            },
            "spec": spec,
            "inputs": {"literals": {"x": {"scalar": {"primitive": {"integer": "1"}}}}},
            "executionId": {"project": "p", "domain": "d", "name": self.name},
            "executionConfig": {"MaxParallelism": scenario.parallelism, "RecoveryExecution": recovery},
            "tasks": {"t": {**_TEMPLATE, "metadata": dict(scenario.metadata)}, "m": _MAPPED},
            "subWorkflows": subs,
            "status": {"phase": 0},
        }


def job_of(tasks: Mapping[str, Task]) -> bytes:
    """Return the job specification of a graph of these tasks, empty for none; what waits for none gets a ten."""
    if not tasks:
        return b""
    nodes = []
    for node_id, task in tasks.items():
        made = node(node_id, *task.after, retries=task.attempts - 1, task=f"t{len(task.after)}")
        if task.active_deadline:
            made.metadata.timeout.FromSeconds(int(LIMIT[:-1]) // 2)  # the whole time is twice that of an attempt
        made.inputs.extend(promise(f"i{number}", before) for number, before in enumerate(task.after))
        made.inputs.extend([constant("i0", 10)] if not task.after else [])
        nodes.append(made)
    spec = job(*nodes)
    del spec.tasks[:]
    for count in sorted({len(task.after) for task in tasks.values()}):
        inputs = [f"i{number}" for number in range(max(count, 1))]
        spec.tasks.append(template(inputs, name=f"t{count}", type_name="simulated"))
    data: bytes = spec.SerializeToString(deterministic=True)
    return data


_TEMPLATE = {
    "id": {"resourceType": "TASK", "project": "p", "domain": "d", "name": "t", "version": "v"},
    "type": "simulated",
    "interface": {"outputs": {"variables": {"o": {"type": {"simple": "INTEGER"}}}}},
}
_MAPPED = {
    **_TEMPLATE,
    "interface": {"outputs": {"variables": {"o": {"type": {"collectionType": {"simple": "INTEGER"}}}}}},
}


def _promise(variable: str, node_id: str) -> dict[str, Any]:
    source = "x" if node_id == "start-node" else "o"
    return {"var": variable, "binding": {"promise": {"nodeId": node_id, "var": source}}}


def _graph(name: str, tasks: Mapping[str, Task], failure: Task | None) -> dict[str, Any]:
    nodes: dict[str, Any] = {"start-node": {"id": "start-node", "kind": "start"}}
    upstream: dict[str, list[str]] = {}
    for node_id, task in tasks.items():
        nodes[node_id] = _node(node_id, task)
        upstream[node_id] = list(task.after) or ["start-node"]
    leaf = next(reversed(tasks))
    nodes["end-node"] = {"id": "end-node", "kind": "end", "inputBindings": [_promise("o", leaf)]}
    inner = {u for after in upstream.values() for u in after}
    upstream["end-node"] = [node_id for node_id in tasks if node_id not in inner]
    downstream: dict[str, list[str]] = {}
    for node_id, after in upstream.items():
        for before in after:
            downstream.setdefault(before, []).append(node_id)
    spec: dict[str, Any] = {
        "id": f"p:d:{name}",
        "nodes": nodes,
        "edges": {"upstream": upstream, "downstream": downstream},
        "outputBindings": [_promise("o", leaf)],
    }
    if failure is not None:
        spec["onFailure"] = _node(HANDLER, failure)
    return spec


_GATES: Mapping[str, dict[str, Any]] = {
    WAIT: {"kind": "signal", "signal": {"outputVariableName": "o", "type": {"simple": "INTEGER"}}},
    APPROVE: {"kind": "approve", "approve": {}},
    SLEEP: {"kind": "sleep", "sleep": {"duration": SLEEP_TIME}},
}


def _kind(node_id: str, task: Task) -> dict[str, Any]:
    match task.kind:
        case "plan":
            return {"kind": "workflow", "workflow": {"launchPlanRefId": {**_TEMPLATE["id"], "name": "plan"}}}
        case "sub":
            return {"kind": "workflow", "workflow": {"subWorkflowRef": "within"}}
        case "task":
            return {"kind": "task", "task": "t"}
        case gate:
            kind = _GATES[gate]["kind"]
            named = {"signalId": node_id} if kind != "sleep" else {}
            return {"kind": "gate", "gate": {"kind": kind, kind: {**_GATES[gate][kind], **named}}}


def _node(node_id: str, task: Task) -> dict[str, Any]:
    """Return the node. A gate's inputs are its outputs where it approves, and it has none elsewhere."""
    inputs = task.after or ("start-node",)
    bindings = [_promise(f"i{number}", before) for number, before in enumerate(inputs)]
    if task.kind == APPROVE:
        bindings = [_promise("o", inputs[0])]
    if task.kind == SUB:
        bindings = [_promise("x", inputs[0])]
    if task.kind in (WAIT, SLEEP):
        bindings = []
    node: dict[str, Any] = {"id": node_id, **_kind(node_id, task), "inputBindings": bindings}
    if task.attempts > 1:
        node["retry"] = {"minAttempts": task.attempts}
    for key, value in (("executionDeadline", task.execution_deadline), ("activeDeadline", task.active_deadline)):
        if value:
            node[key] = value
    return _map(node, task) if task.elements else node


def _map(element: dict[str, Any], task: Task) -> dict[str, Any]:
    numbers = [{"scalar": {"primitive": {"integer": str(number)}}} for number in range(task.elements)]
    array = {
        "SubNodeSpec": {**element, "id": "mapped", **({"task": "m"} if "task" in element else {})},
        "Parallelism": task.at_once,
        "MinSuccesses": task.needed,
    }
    bindings = [{"var": "x", "binding": {"collection": {"bindings": numbers}}}]
    return {"id": element["id"], "kind": "array", "array": array, "inputBindings": bindings}
