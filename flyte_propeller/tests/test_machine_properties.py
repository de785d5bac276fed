"""What holds for ``evaluate`` alone, whatever graph it is given and whatever facts, true, outdated or absurd."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flyte_core.phases import (
    NODE_MOVES,
    TERMINAL_WORKFLOW_PHASES,
    WORKFLOW_MOVES,
    NodePhase,
    WorkflowPhase,
)
from flyte_propeller.machine import dynamic_nodes, sub_workflows, task_nodes, turn
from flyte_propeller.machine.addresses import element_address, node_of
from flyte_propeller.machine.effects import DeleteTask, Finish, LaunchTask, RecordEvent, Step
from flyte_propeller.machine.evaluate import evaluate, restart
from flyte_propeller.machine.facts import Facts
from flyte_propeller.machine.moves import node_move, workflow_move
from flyte_propeller.machine.state import WorkflowState, is_dynamic
from flyte_propeller.machine.workflow import Workflow
from flyte_propeller.serde import StateWriter, decode, grafts_of, status_of
from machine_play import Play, random_workflow

EXAMPLES = settings(max_examples=120, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32)
ROUNDS = 40


def play(seed: int, *, rounds: int = ROUNDS, abort: bool = True) -> Play:
    """Return a run of some rounds against a hostile world."""
    numbers = random.Random(seed)
    game = Play(random_workflow(numbers.randrange), numbers.randrange)
    for _ in range(rounds):
        game.step(game.random_facts(abort=abort))
    return game


def written(step: Step) -> list[object]:
    """Return the effects as values that can be compared byte by byte."""
    return [
        effect.request.SerializeToString(deterministic=True) if isinstance(effect, RecordEvent) else effect
        for effect in step.effects
    ]


@EXAMPLES
@given(SEEDS)
def test_the_same_state_and_facts_give_the_same_step_and_change_nothing(seed: int) -> None:
    game = play(seed)
    for known, (state, facts, step) in zip(game.workflows, game.steps, strict=True):
        again = evaluate(known, state, facts)
        assert written(again) == written(step)
        assert again.state == step.state
        assert again.grown == step.grown


@EXAMPLES
@given(SEEDS)
def test_a_terminal_workflow_stays_as_it_is_and_only_cleans_up(seed: int) -> None:
    game = play(seed)
    for state, _facts, step in game.steps:
        if state.phase in TERMINAL_WORKFLOW_PHASES:
            assert step.state.phase is state.phase
            assert step.state.error == state.error
            assert all(isinstance(effect, DeleteTask | Finish) for effect in step.effects)


@EXAMPLES
@given(SEEDS)
def test_what_has_ended_stays_and_attempts_only_grow(seed: int) -> None:
    for state, _facts, step in play(seed).steps:
        for index, ended in state.settled.items():
            assert step.state.settled[index] == ended
        for index, node in state.active.items():
            later = step.state.active.get(index) or step.state.settled[index]
            assert later.attempt >= node.attempt
        if step.state.phase is not state.phase:
            assert step.state.phase in reachable(state.phase)


def is_within(game: Play, index: int | None, outer: int | None) -> bool:
    """Return whether the node is the other one, or within it."""
    while index is not None and index != outer:
        index = game.workflow.nodes[index].parent
    return index is not None and outer is not None


def still_open(workflow: Workflow, state: WorkflowState, counts: Mapping[int, int]) -> dict[int, int]:
    """Return the entries of nodes that may still start: the others are forgotten when they come up, or on a restart."""
    return {index: count for index, count in counts.items() if not sub_workflows.is_closed(workflow, state, index)}


def reachable(phase: WorkflowPhase) -> set[WorkflowPhase]:
    """Return the phases that moves of the table lead to."""
    found, front = set(), [phase]
    while front:
        front = [after for before in front for after in WORKFLOW_MOVES[before] if after not in found]
        found.update(front)
    return found


def started(state: WorkflowState, key: tuple[int, int]) -> bool:
    """Return whether the attempt is under way in this state."""
    node = state.running_at(key[0])
    return node is not None and node.attempt == key[1] and node.task is not None


@EXAMPLES
@example(768)
@given(SEEDS)
def test_the_same_facts_again_want_nothing_new(seed: int) -> None:
    game = play(seed)
    later = [*game.workflows[1:], game.workflow]
    for known, (state, facts, step) in zip(later, game.steps, strict=True):
        if facts.abort or facts.refusal or facts.timers or facts.looked_at:
            continue
        if any(started(step.state, key) and not started(state, key) for key in [*facts.observed, *facts.launched]):
            continue  # said of an attempt before it was wanted: outdated by one round it is news
        again = evaluate(known, step.state, facts)
        new = [effect for effect in again.effects if isinstance(effect, LaunchTask | DeleteTask)]
        assert new == [] or step.more


@EXAMPLES
@given(SEEDS)
def test_nothing_is_launched_without_its_intent_or_twice(seed: int) -> None:
    launched: Counter[tuple[int, int]] = Counter()
    for state, facts, step in play(seed).steps:
        for effect in step.effects:
            if isinstance(effect, LaunchTask):
                node = step.state.running_at(effect.node)
                assert node is not None
                assert node.task is not None
                assert (node.attempt, node.task.token) == (effect.attempt, "")
                before = state.running_at(effect.node)
                if before is None or before.task is None or before.attempt != effect.attempt:
                    launched[effect.node, effect.attempt] += 1
                else:
                    assert effect.node in facts.looked_at
    assert max(launched.values(), default=1) == 1


@EXAMPLES
@given(SEEDS)
def test_a_node_starts_only_behind_successes_and_never_in_a_failing_workflow(seed: int) -> None:
    game = play(seed)
    for state, _facts, step in game.steps:
        for index in {*step.state.active} - {*state.active}:
            node = game.workflow.nodes[index]
            if is_within(game, index, game.workflow.failure):
                assert step.state.phase is WorkflowPhase.HANDLING_FAILURE_NODE
                continue
            assert all(step.state.settled[before].phase in turn.ENDED_WELL for before in node.upstream)
            assert step.state.phase is WorkflowPhase.RUNNING


@EXAMPLES
@given(SEEDS)
def test_no_more_run_than_allowed_and_the_counts_are_right(seed: int) -> None:
    game = play(seed)
    limit = game.workflow.max_parallelism
    for _state, _facts, step in game.steps:
        running = sum(turn.in_place(game.workflow.nodes[i], node) for i, node in step.state.active.items())
        arrays = [game.workflow.nodes[node_of(address)].array for address in step.state.elements]
        running += sum(array is not None and array.inherits for array in arrays)
        assert running == step.state.running
        assert not limit or running <= limit


@EXAMPLES
@given(SEEDS)
def test_of_an_array_no_more_elements_run_than_it_allows_and_the_counts_are_right(seed: int) -> None:
    game = play(seed)
    for _state, _facts, step in game.steps:
        for index in game.workflow.array_nodes:
            node, spec = step.state.active.get(index), game.workflow.nodes[index].array
            live = [address for address in step.state.elements if node_of(address) == index]
            if node is None or node.array is None or spec is None:
                assert not live
                continue
            assert sorted(live) == [element_address(index, element) for element in node.array.running()]
            assert node.array.live == len(live)
            assert not spec.parallelism or len(live) <= spec.parallelism


@EXAMPLES
@given(SEEDS)
def test_a_stored_state_is_the_same_state_when_it_is_read(seed: int) -> None:
    game = play(seed)
    writer = StateWriter.of(WorkflowState(), len(game.workflows[0].nodes))
    later = [*game.workflows[1:], game.workflow]
    for known, (_state, _facts, step) in zip(later, game.steps, strict=True):
        writer.resize(len(known.nodes))
        writer.note(step.state, step.touched)
        if not step.save:
            continue
        status = status_of(step.state, "s3://b/x", game.now)
        encoded = writer.encode(step.state)
        assert grafts_of(encoded) == step.state.grafts
        read = restart(known, decode(status, encoded, len(known.nodes)))
        assert (read.phase, read.settled, read.cleanup, read.muted) == (
            step.state.phase,
            step.state.settled,
            step.state.cleanup,
            step.state.muted,
        )
        assert read.active == step.state.active
        assert read.elements == step.state.elements
        assert read.running == step.state.running
        assert read.grafts == step.state.grafts
        waits = [i for i in step.state.graphless.items() if i in read.active and is_dynamic(read.active[i])]
        assert sorted(read.graphless.items()) == sorted(waits)
        if read.phase is WorkflowPhase.RUNNING:
            assert still_open(known, read, read.waiting) == still_open(known, read, step.state.waiting)
            ready = dict.fromkeys(step.state.ready.items(), 0)
            assert sorted(read.ready.items()) == sorted(still_open(known, read, ready))
            waits = [i for i in step.state.queued.items() if task_nodes.waits_for_place(step.state, i)]
            assert sorted(read.queued.items()) == sorted(waits)


@EXAMPLES
@given(SEEDS, st.integers(0, ROUNDS))
def test_an_abort_ends_any_workflow_and_deletes_every_attempt(seed: int, rounds: int) -> None:
    game = play(seed, rounds=rounds, abort=False)
    everything = (*game.state.active.items(), *game.state.elements.items())
    live = {
        (i, node.attempt)
        for i, node in everything
        if node.task is not None and game.workflow.at(i).gate is None  # a gate leaves nothing outside
    }
    was_terminal = game.state.phase in TERMINAL_WORKFLOW_PHASES
    step = game.step(Facts(game.now, abort="stop"))
    assert step.state.phase in TERMINAL_WORKFLOW_PHASES
    assert was_terminal or step.state.phase is WorkflowPhase.ABORTED
    assert {(e.node, e.attempt) for e in step.effects if isinstance(e, DeleteTask)} >= live
    assert not step.state.active
    assert not step.state.elements


@EXAMPLES
@given(SEEDS, st.integers(0, ROUNDS))
def test_a_friendly_world_always_leads_to_an_end(seed: int, rounds: int) -> None:
    game = play(seed, rounds=rounds)
    for _ in range(200):
        if game.ended:
            break
        game.step(game.friendly_facts())
    assert game.ended, game.state
    assert isinstance(game.step(game.friendly_facts()).effects[-1], Finish)
    assert game.outside == {}


@EXAMPLES
@given(SEEDS)
def test_no_event_follows_the_last_one_of_the_workflow(seed: int) -> None:
    events = [e.request for _, _, step in play(seed).steps for e in step.effects if isinstance(e, RecordEvent)]
    ends = [n for n, request in enumerate(events) if getattr(request.event, "execution_id", None) and _ends(request)]
    assert len(ends) <= 1
    assert not ends or ends[0] == len(events) - 1


def _ends(request: object) -> bool:
    return request.event.phase in (4, 6, 7)  # type: ignore[attr-defined]  # SUCCEEDED, FAILED, ABORTED


LATER = {
    "node NOT_YET_STARTED → FAILING",
    "node SUCCEEDING → FAILED",
    "node TIMING_OUT → FAILED",
    "workflow READY → FAILING",
    "workflow FAILING → ABORTED",
    "workflow SUCCEEDING → FAILED",
    "workflow SUCCEEDING → ABORTED",
}
"""Moves of node kinds that are not run yet, or of ends that task nodes reach in one step."""


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Hear of every move; the spies call the real functions."""
    seen: set[str] = set()

    def spy_node(before: NodePhase, after: NodePhase) -> NodePhase:
        if before is not after:
            seen.add(f"node {before.name} → {after.name}")
        return node_move(before, after)

    def spy_workflow(before: WorkflowPhase, after: WorkflowPhase) -> WorkflowPhase:
        seen.add(f"workflow {before.name} → {after.name}")
        return workflow_move(before, after)

    monkeypatch.setattr(task_nodes, "node_move", spy_node)
    monkeypatch.setattr(turn, "node_move", spy_node)
    monkeypatch.setattr(dynamic_nodes, "node_move", spy_node)
    monkeypatch.setattr(sub_workflows, "node_move", spy_node)
    monkeypatch.setattr(turn, "workflow_move", spy_workflow)
    return seen


def test_every_move_of_the_tables_is_made_or_known_to_come_later(moves: set[str]) -> None:
    for seed in (*range(600), 1775):  # in the last one an event is refused of a node that waits to try again
        play(seed)
    legal = {f"node {before.name} → {after.name}" for before, many in NODE_MOVES.items() for after in many}
    legal |= {f"workflow {before.name} → {after.name}" for before, many in WORKFLOW_MOVES.items() for after in many}
    assert legal - moves == LATER
    assert moves <= legal
