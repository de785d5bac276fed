"""What one evaluation costs inside chains of different lengths: it must be that of what changed.

``python -m benchmarks.evaluate_chain`` prints microseconds per round and the ratio of the longest to the shortest.
"""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime

from flyteidl.core.identifier_pb2 import Identifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.tasks_pb2 import TaskTemplate
from immutables import Map

from flyte_core.phases import NodePhase, TaskPhase, WorkflowPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.effects import Ask
from flyte_propeller.machine.evaluate import evaluate, restart
from flyte_propeller.machine.facts import Facts, Launch
from flyte_propeller.machine.state import Settled, WorkflowState
from flyte_propeller.machine.workflow import Node, Workflow

ROUNDS = 1_000
NOW = datetime(2024, 1, 1, tzinfo=UTC)
EMPTY = LiteralMap()
TASK = TaskTemplate(id=Identifier(resource_type=1, project="p", domain="d", name="t", version="v"), type="python-task")
EXECUTION = WorkflowExecutionIdentifier(project="p", domain="d", name="x")


def chain(length: int) -> Workflow:
    """Return a workflow of so many task nodes, one after the other."""
    last = length + 1
    nodes = [Node(0, "start-node", "start", downstream=(1,))]
    nodes += [Node(i, f"n{i}", "task", task=TASK, upstream=(i - 1,), downstream=(i + 1,)) for i in range(1, last)]
    nodes += [Node(last, "end-node", "end", upstream=(length,))]
    return Workflow(
        execution=EXECUTION,
        namespace="p-d",
        id="p:d:w",
        nodes=tuple(nodes),
        start=0,
        end=last,
        failure=None,
        fail_immediately=True,
        max_parallelism=25,
        data_dir="s3://b/x",
        raw_output_prefix="s3://b/raw",
        inputs=EMPTY,
        has_outputs=False,
        owner={},
    )


def middle(workflow: Workflow) -> WorkflowState:
    """Return the state in which half of the chain has ended."""
    half = len(workflow.nodes) // 2
    settled = Map({index: Settled(NodePhase.SUCCEEDED) for index in range(half)})
    return restart(workflow, WorkflowState(WorkflowPhase.RUNNING, settled=settled, started_at=NOW))


def rounds(workflow: Workflow, state: WorkflowState, count: int) -> int:
    """Evaluate the lives of nodes from this state on: asked, launched, succeeded, gone. Return the rounds done."""
    first, done = state, 0
    while done < count:
        step = evaluate(workflow, state, Facts(NOW))
        asked = [effect.node for effect in step.effects if isinstance(effect, Ask)]
        if not asked or asked[0] == workflow.end:
            state = first
            continue
        (index,) = asked
        key = (index, 0)
        for facts in (
            Facts(NOW, inputs={index: EMPTY}),
            Facts(NOW, launched={key: Launch("uid")}),
            Facts(NOW, observed={key: PhaseInfo(TaskPhase.RUNNING, 1)}),
            Facts(NOW, observed={key: PhaseInfo(TaskPhase.SUCCESS)}),
            Facts(NOW, gone=frozenset({key})),
        ):
            state = evaluate(workflow, state, facts).state
            done += 1
    return done


def seconds_per_round(length: int, *, count: int = ROUNDS, repeats: int = 5) -> float:
    """Return the seconds of one round in the middle of a chain of that length: the best of some repeats."""
    workflow = chain(length)
    state = middle(workflow)
    rounds(workflow, state, 100)
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            start = time.perf_counter()
            done = rounds(workflow, state, count)
            best = min(best, (time.perf_counter() - start) / done)
    finally:
        gc.enable()
    return best


def ratio(short: int = 100, long: int = 10_000, *, tries: int = 3) -> float:
    """Return how much more a round costs in the long chain; the best of some tries, as the machine has other work."""
    return min(seconds_per_round(long) / seconds_per_round(short) for _ in range(tries))


def main() -> None:
    """Print the measures."""
    costs = {length: seconds_per_round(length) for length in (100, 1_000, 10_000)}
    for length, seconds in costs.items():
        print(f"chain of {length:6}: {seconds * 1e6:7.1f} µs a round")
    print(f"ratio 10,000 : 100 = {costs[10_000] / costs[100]:.2f} (bound 1.3)")


if __name__ == "__main__":
    main()
