"""What the catalog does to a task node: its result is found, waited for, or computed and stored.

A catalog that cannot be used changes nothing but the status in the node's events: the task runs without it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flyteidl.core.catalog_pb2 import CACHE_DISABLED, CACHE_EVICTED, CACHE_HIT, CACHE_SKIPPED, CatalogReservation
from flyteidl.core.execution_pb2 import NodeExecution
from flyteidl.event.event_pb2 import TaskNodeMetadata

from flyte_core.phases import NodePhase
from flyte_propeller.machine.effects import CacheQuestion, KeepReservation, LookUp, Publish, Reserve, WakeAt
from flyte_propeller.machine.facts import BindingFailure
from flyte_propeller.machine.state import CacheState, WorkflowState
from flyte_propeller.machine.turn import RESERVED, Turn

HEARTBEAT = timedelta(seconds=10)
"""How often a reservation is extended; upstream's catalog takes no longer ones. Three missed, and it has expired."""
LOOK_AGAIN = timedelta(seconds=2)
"""How often a node looks whether the result that it waits for is there."""
TAKEN = CatalogReservation.RESERVATION_EXISTS


def is_cached(turn: Turn, index: int) -> bool:
    """Return whether the node's result is looked up and stored. What has no outputs has no result (upstream's rule);
    a failure node always runs.
    """
    task = turn.node(index).task
    if task is None or index == turn.workflow.failure:
        return False
    return task.metadata.discoverable and bool(task.interface.outputs.variables)


def is_serialized(turn: Turn, index: int) -> bool:
    """Return whether of several that want this node's result only one may compute it."""
    task = turn.node(index).task
    serializable = task is not None and task.metadata.cache_serializable
    return serializable and not turn.workflow.overwrite_cache and is_cached(turn, index)


def lookup(turn: Turn, index: int) -> LookUp | None:
    """Return what must be asked before the node, whose inputs are known, begins; None where nothing is left to ask."""
    if not is_cached(turn, index) or turn.workflow.overwrite_cache:
        return None
    question = LookUp(index)
    unresolved = isinstance(turn.facts.inputs[index], BindingFailure)
    return None if unresolved or question in turn.facts.catalog else question


def found(turn: Turn, index: int) -> bool:
    """End a node that has not begun and whose result is there. Return False for one that is to begin."""
    answer = turn.facts.catalog.get(LookUp(index))
    if answer is None or answer.cache_status != CACHE_HIT:
        return False
    turn.report_node(index, NodeExecution.SUCCEEDED, catalog=answer)
    turn.settle(index, NodePhase.SUCCEEDED)
    return True


def first_state(turn: Turn, index: int) -> CacheState | None:
    """Return what is known of the result of a node that begins; None where it is not cached, or there is no catalog."""
    if not is_cached(turn, index):
        return None
    if turn.workflow.overwrite_cache:
        return CacheState(CACHE_SKIPPED)
    status = turn.facts.catalog[LookUp(index)].cache_status
    return CacheState(status) if status != CACHE_DISABLED else None


def reservation(turn: Turn, index: int) -> Reserve | None:
    """Return what must be asked before the first attempt of the node; None where nothing is left to ask."""
    node, question = turn.state.active[index], Reserve(index)
    if node.phase is not NodePhase.QUEUED or node.cache is None or question in turn.facts.catalog:
        return None
    return question if is_serialized(turn, index) else None


def may_start(turn: Turn, index: int) -> bool:
    """Take the answer about the reservation. Return False for a node that waits, or whose result is there now."""
    answer = turn.facts.catalog.get(Reserve(index))
    node = turn.state.active[index]
    if answer is None or node.phase is not NodePhase.QUEUED:
        return True
    if answer.cache_status == CACHE_HIT:
        turn.report_node(index, NodeExecution.SUCCEEDED, catalog=answer)
        turn.settle(index, NodePhase.SUCCEEDED)
        turn.more = True  # what waited for the node has not been looked at in this round
        return False
    waits, held = answer.reservation_status == TAKEN, answer.reservation_status == RESERVED
    next_at = turn.now + (LOOK_AGAIN if waits else HEARTBEAT) if waits or held else None
    turn.keep(index, replace(node, cache=CacheState(answer.cache_status, answer.reservation_status, next_at)))
    if next_at is not None:
        turn.effects.append(WakeAt(index, next_at))
    return not waits


def waits(state: WorkflowState, index: int) -> bool:
    """Return whether the node waits for a result that another one computes."""
    node = state.active.get(index)
    return node is not None and node.cache is not None and node.cache.reservation == TAKEN


def look_again(turn: Turn, index: int) -> None:
    """At its time: ask for the reservation again, or extend it."""
    node = turn.state.active.get(index)
    if node is None or node.cache is None or node.cache.next_at is None or turn.now < node.cache.next_at:
        return
    if node.cache.reservation == TAKEN:
        turn.keep(index, replace(node, cache=CacheState(node.cache.status)))
        turn.state = replace(turn.state, queued=turn.state.queued.push((index,)))
        return
    next_at = turn.now + HEARTBEAT
    turn.keep(index, replace(node, cache=replace(node.cache, next_at=next_at)))
    turn.effects += (KeepReservation(index), WakeAt(index, next_at))


def publication(turn: Turn, index: int, attempt: int) -> Publish | None:
    """Return what is asked of the catalog once this attempt has succeeded; None for a node that is not cached."""
    cache = turn.state.active[index].cache
    if cache is None:
        return None
    overwrite = turn.workflow.overwrite_cache or cache.status == CACHE_EVICTED
    return Publish(index, attempt, overwrite, cache.reservation == RESERVED)


def unanswered(turn: Turn, question: CacheQuestion | None) -> bool:
    """Ask the question where there is one without an answer. True says that the step ends here: it is evaluated anew
    with the answer.
    """
    if question is None or question in turn.facts.catalog:
        return False
    turn.effects.append(question)
    return True


def published(turn: Turn, question: Publish | None) -> TaskNodeMetadata | None:
    """Return what became of the result."""
    return turn.facts.catalog[question] if question is not None else None
