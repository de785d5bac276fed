"""A round costs what changed, not the size of the graph; the numbers are those of ``benchmarks/evaluate_chain.py``."""

from __future__ import annotations

import gc
import importlib.util
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from flyteidl.core.literals_pb2 import Literal, LiteralCollection, LiteralMap

from driving import SUCCESS, Driven, task, workflow
from flyte_core.phases import WorkflowPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import element_address
from flyte_propeller.machine.effects import LaunchTask
from flyte_propeller.machine.evaluate import QUEUED_AHEAD, evaluate, restart
from flyte_propeller.machine.facts import Facts, Launch
from flyte_propeller.machine.state import WorkflowState
from flyte_propeller.machine.workflow import Array, Node, Workflow
from flyte_propeller.serde import StateWriter

BOUND = 1.3


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "evaluate_chain.py"
    spec = importlib.util.spec_from_file_location("evaluate_chain", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_round_in_a_chain_of_ten_thousand_costs_what_it_costs_in_one_of_a_hundred(bench: ModuleType) -> None:
    assert bench.ratio() <= BOUND


def fan(bench: ModuleType, width: int) -> Workflow:
    """Return a workflow of so many independent nodes, all upstream of the end node."""
    last = width + 1
    middle = tuple(range(1, last))
    nodes = [Node(0, "start-node", "start", downstream=middle)]
    nodes += [Node(i, f"n{i}", "task", task=bench.TASK, upstream=(0,), downstream=(last,)) for i in middle]
    nodes += [Node(last, "end-node", "end", upstream=middle)]
    return replace(bench.chain(1), nodes=tuple(nodes), end=last)


def seconds_per_node(bench: ModuleType, width: int, count: int) -> float:
    """Return the cost of a node's rounds in the middle of a fan, with all its writes."""
    flow = fan(bench, width)
    inputs = dict.fromkeys(range(width + 2), bench.EMPTY)
    state = evaluate(flow, WorkflowState(), Facts(bench.NOW, inputs=inputs)).state
    writer, best = StateWriter.of(state, width + 2), float("inf")
    assert state.phase is WorkflowPhase.RUNNING
    assert len(state.active) <= flow.max_parallelism + QUEUED_AHEAD
    for _ in range(3):
        start = time.perf_counter()
        for index in range(1, count + 1):
            for facts in (
                Facts(bench.NOW, inputs=inputs, launched={(index, 0): Launch("uid")}),
                Facts(bench.NOW, inputs=inputs, observed={(index, 0): SUCCESS}),
            ):
                step = evaluate(flow, state, facts)
                state = step.state
                writer.note(state, step.touched)
                writer.encode(state)
        best = min(best, (time.perf_counter() - start) / count)
        state = restart(flow, evaluate(flow, WorkflowState(), Facts(bench.NOW, inputs=inputs)).state)
    return best


def test_ten_thousand_nodes_that_wait_for_a_place_cost_nothing(bench: ModuleType) -> None:
    narrow = seconds_per_node(bench, 500, 200)
    wide = seconds_per_node(bench, 10_000, 200)
    # what is left is deflating three bytes per node in each write
    assert wide <= 3 * narrow
    assert wide < 0.005


async def test_machine_and_shell_need_three_milliseconds_per_node_of_a_chain() -> None:
    names = [f"n{number}" for number in range(60)]
    nodes = {name: task(*names[max(0, number - 1) : number]) for number, name in enumerate(names)}
    driven = await Driven(workflow(nodes)).start()
    costs = []
    gc.collect()
    gc.freeze()  # what other tests have left in this process is not looked through again and again
    try:
        for name in names:
            start = time.process_time()
            await driven.show(name, PhaseInfo(SUCCESS.phase))
            costs.append(time.process_time() - start)
    finally:
        gc.unfreeze()
    assert driven.of("workflow")[-1] == "SUCCEEDED"
    assert sorted(costs)[len(costs) // 4] <= 0.003 * 2, "with fakes of the ports, on a busy machine"


def seconds_per_element(bench: ModuleType, size: int, count: int) -> float:
    """Return the cost of an element's end while so many run side by side, with its writes."""
    first, task_node, last = bench.chain(1).nodes
    node = replace(task_node, kind="array", task=None, array=Array(task_node, parallelism=0))
    flow = replace(bench.chain(1), nodes=(first, node, last), array_nodes=(1,))
    numbers = LiteralMap(literals={"x": Literal(collection=LiteralCollection(literals=[Literal()] * size))})
    facts = Facts(bench.NOW, inputs={0: bench.EMPTY, 1: numbers, 2: bench.EMPTY})
    state, launched = WorkflowState(), {}
    while state.phase is WorkflowPhase.READY or len(launched) < size:
        step = evaluate(flow, state, facts)
        state = step.state
        begun = [effect for effect in step.effects if isinstance(effect, LaunchTask)]
        launched.update({(effect.node, effect.attempt): Launch(f"uid-{effect.node}") for effect in begun})
    state = evaluate(flow, state, replace(facts, launched=launched)).state
    writer, best = StateWriter.of(state, 3), float("inf")
    writer.encode(state)
    for turn in range(3):
        start = time.perf_counter()
        for element in range(turn * count, (turn + 1) * count):
            step = evaluate(flow, state, replace(facts, observed={(element_address(1, element), 0): SUCCESS}))
            state = evaluate(flow, step.state, replace(facts, gone=frozenset(step.state.cleanup))).state
            writer.note(state, step.touched)
            writer.encode(state)
        best = min(best, (time.perf_counter() - start) / count)
    return best


def test_an_element_of_a_map_costs_about_the_same_among_five_thousand_that_run_as_among_five_hundred(
    bench: ModuleType,
) -> None:
    few = seconds_per_element(bench, 500, 100)
    many = seconds_per_element(bench, 5_000, 100)
    # what is left is copying and deflating three bytes per element in each write
    assert many <= 3 * few
    assert many < 0.005
