"""The rules of the design, each broken on purpose: what a simulator does not catch, it does not protect.

A mutant changes the text of functions of the real code and puts the changed code in their place, for as long as the
context lasts. A rule whose text has changed makes its mutant fail loudly, so that it is renewed and not forgotten.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

from flyte_propeller import operator, serde
from flyte_propeller.machine import (
    array_nodes,
    caching,
    elements,
    evaluate,
    launch_plans,
    moves,
    recovery,
    retry,
    sub_workflows,
    task_nodes,
    turn,
)
from flyte_propeller.shell import answers, apply, children, gates, gather, graphs, round, saving
from flyte_propeller.shell.caching import Caching
from flyte_propeller.shell.recovering import Recovering
from simulator.world import FAIR, Options


@dataclass(frozen=True)
class Change:
    """Texts in one function, and what stands there instead."""

    function: Callable[..., Any]
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Mutant:
    """A broken rule.

    :ivar rule: what holds in the real code
    :ivar seeds: how many worlds it may take until the breach is seen
    """

    name: str
    rule: str
    changes: tuple[Change, ...] = ()
    options: Options = FAIR
    seeds: int = 300


APPLY = "apply(execution, step.effects, ports.outside(), ports.caching(execution), ports.clock)"
NO_CATALOG = Options(never=("catalog",))
MUTANTS = (
    Mutant(
        "event-after-cas",
        "events are recorded before the state that they announce is stored",
        (
            Change(
                round._evaluate,
                {"await report(ports.admin, step.effects, ready=execution.state.started_at is None)": "None"},
            ),
            Change(
                round.run_round,
                {
                    "    _take_over(execution, step)\n": "    _take_over(execution, step)\n"
                    "    await report(ports.admin, step.effects, ready=False)\n"
                },
            ),
        ),
    ),
    Mutant(
        "no-fresh-read",
        "a round over a state that is older than the stored one is abandoned before its effects",
        (
            Change(
                round.is_current,
                {'raise Conflict(f"': 'return bool(f"'},
            ),
        ),
        options=Options(often=("pause", "resume", "second"), scenarios=("map",)),
        seeds=400,
    ),
    Mutant(
        "create-before-cas",
        "what is to be created is stored as an intent first",
        (
            Change(
                round.run_round,
                {
                    f"    new_facts = await {APPLY}\n": "",
                    "        if step.save or _finishes(step):\n": f"        new_facts = await {APPLY}\n"
                    "        if step.save or _finishes(step):\n",
                },
            ),
        ),
        options=Options(often=("crash",)),
    ),
    Mutant(
        "outage-consumes-retries",
        "an outage delays, it is not counted against the workflow",
        (Change(operator.Propeller.attend, {"self._retry_later(key, error)": "await self._count_fault(key, error)"}),),
    ),
    Mutant(
        "no-finalizer",
        "a finished pod stays until the state with its result is stored",
        options=Options(finalizers=False, often=("collect_pod",)),
    ),
    Mutant(
        "workflow-finalizer-dropped-early",
        "the FlyteWorkflow stays until nothing of it is left",
        (
            Change(
                saving._manifest,
                {
                    '"status": status}': '"status": status, '
                    '"metadata": {**execution.manifest["metadata"], "finalizers": []}}'
                },
            ),
        ),
    ),
    Mutant(
        "terminal-overwritten",
        "a terminal workflow changes no more",
        (
            Change(
                evaluate.evaluate,
                {"if state.phase not in TERMINAL_WORKFLOW_PHASES:": "if facts.abort or state.stopped_at is None:"},
            ),
            Change(moves.workflow_move, {"if after not in WORKFLOW_MOVES[before]:": "if False:"}),
        ),
        options=Options(often=("abort",)),
        seeds=900,
    ),
    Mutant(
        "delete-not-confirmed",
        "an attempt is deleted until nothing of it is left",
        (Change(apply._delete, {"    if gone:\n": "    gone = True\n    if gone:\n"}),),
    ),
    Mutant(
        "retry-budget-off-by-one",
        "the user's attempts are as many as the user has said",
        (Change(retry.judge, {"Verdict(current < budget,": "Verdict(current <= budget,"}),),
    ),
    Mutant(
        "system-failures-count-as-the-users",
        "a lost machine costs the user no attempt",
        (Change(retry.judge, {"system = error.kind == ExecutionError.SYSTEM": "system = False"}),),
    ),
    Mutant(
        "next-attempt-without-waiting",
        "an attempt starts when nothing of the one before is left",
        (
            Change(
                task_nodes.retry_or_fail,
                {
                    "    turn.keep(index, waiting)\n": "    turn.keep(index, waiting)\n"
                    "    cleanup = turn.state.cleanup.delete((index, node.attempt))\n"
                    "    queued = turn.state.queued.push((index,))\n"
                    "    turn.state = replace(turn.state, cleanup=cleanup, queued=queued)\n"
                },
            ),
        ),
    ),
    Mutant(
        "intent-not-asked-again",
        "an intent that nobody has confirmed is carried out again",
        (Change(evaluate._ask_again, {"node, before = turn.state.running_at(index),": "node, before = None,"}),),
    ),
    Mutant(
        "inbox-lost-with-the-round",
        "facts of a round that failed come back in the next",
        (Change(round.run_round, {"        execution.inbox.add(inbox)\n": ""}),),
        options=Options(often=("jump", "toggle_outage")),
    ),
    Mutant(
        "states-share-a-name",
        "a state in the object store is overwritten by nobody",
        (Change(saving._put_aside, {"hashlib.sha256(encoded).hexdigest()[:32]": '"state"'}),),
        seeds=600,
    ),
    Mutant(
        "inputs-not-read-before-the-launch",
        "what an attempt needs is in memory before it may be created",
        (Change(gather.gather, {"looks.append(_read_inputs(execution, store, index))": "pass"}),),
    ),
    Mutant(
        "queue-forgotten-on-restart",
        "what waits for a place is found again after a restart",
        (Change(evaluate.restart, {"queued=loaded.queued.push(queued)": "queued=loaded.queued"}),),
    ),
    Mutant(
        "failed-upstream-counts-as-success",
        "a node starts only if all its upstreams have ended well",
        (Change(turn.Turn._skips, {"if phases <= ENDED_WELL:": "if True:"}),),
    ),
    Mutant(
        "graph-not-stored-before-its-use",
        "a graph is in the object store before the state that needs it",
        (Change(graphs.Graphs._lay_out, {"paths.DYNAMIC_COMPILED": '"nowhere"'}),),
    ),
    Mutant(
        "graphs-forgotten",
        "the state says which graphs belong to it",
        (Change(serde.StateWriter.encode, {'"g": grafts': '"g": []'}),),
    ),
    Mutant(
        "outputs-of-the-first-attempt",
        "the outputs of a graph are those of the attempt that made it",
        (Change(answers._copies, {"outputs(node.parent_attempt)": "outputs(0)"}),),
    ),
    Mutant(
        "next-graph-not-queued",
        "a dynamic node whose graph has ended makes its next attempt though nothing of the last is there to go",
        (Change(task_nodes.retry_or_fail, {"if (index, node.attempt) not in turn.state.cleanup:": "if False:"}),),
    ),
    Mutant(
        "next-attempt-of-an-element-without-waiting",
        "an element's attempt starts when nothing of the one before is left",
        (
            Change(
                elements._try_again_or_fail,
                {
                    "        return\n": "        left = turn.state.cleanup.delete((address, state.attempt))\n"
                    "        turn.state = replace(turn.state, cleanup=left)\n"
                    "        turn.again.append(address)\n"
                    "        return\n"
                },
            ),
        ),
    ),
    Mutant(
        "events-of-elements-taken-for-known-ones",
        "an event of a map whose reply was lost is not confused with the next one",
        (Change(array_nodes.report, {"max(array.version + 1, (turn.now - queued_at) // TICK)": "array.version + 1"}),),
        options=Options(often=("run_pod", "touch"), scenarios=("map", "tolerant-map")),
    ),
    Mutant(
        "place-of-an-element-not-given-back",
        "an element that has ended takes no place of the workflow",
        (Change(elements._drop, {"place=-1": "place=0"}),),
    ),
    Mutant(
        "elements-left-by-an-ended-array",
        "what an array node has left is deleted until nothing is left, also after its end",
        (Change(evaluate._ask_again, {"left_of_elements.get(index, [])": "[]"}),),
    ),
    Mutant(
        "one-that-waits-for-a-result-starts",
        "of those that want one result only who has the reservation computes it",
        (Change(caching.may_start, {"return not waits": "return True"}),),
    ),
    Mutant(
        "one-that-waits-for-a-result-is-forgotten",
        "who waits for a result looks again",
        (Change(caching.look_again, {"queued=turn.state.queued.push((index,))": "queued=turn.state.queued"}),),
    ),
    Mutant(
        "no-answer-of-the-catalog-is-waited-for",
        "a task runs when the catalog does not answer",
        (Change(Caching._look_up, {"return TaskNodeMetadata(cache_status=CACHE_LOOKUP_FAILURE)": "raise"}),),
        options=NO_CATALOG,
    ),
    Mutant(
        "a-result-that-is-not-stored-stops-the-node",
        "a task that succeeded has succeeded whether its result is stored or not",
        (
            Change(
                Caching._publish,
                {"except FlyteError as error:": "except InvalidInput as error:"},
            ),
        ),
        options=NO_CATALOG,
    ),
    Mutant(
        "the-past-is-not-asked",
        "what ended well does not run again in a recovery",
        (Change(recovery.question, {'in ("start", "end") else AskPast(index)': 'in ("start", "end") else None'}),),
    ),
    Mutant(
        "outputs-of-the-past-are-not-copied",
        "who comes behind a recovered node gets its outputs",
        (
            Change(
                Recovering.node,
                {"where.outputs(0), outputs.Ser": "where.outputs(1), outputs.Ser"},
            ),
        ),
    ),
    Mutant(
        "child-not-waited-for",
        "an attempt of a launch plan is over when its execution has ended",
        (Change(children.Children.delete, {"return False\n": "return True\n"}),),
    ),
    Mutant(
        "child-not-terminated",
        "the end of a parent is the end of its children",
        (Change(children.Children.delete, {"if closure.phase != WorkflowExecution.ABORTING:": "if False:"}),),
    ),
    Mutant(
        "existing-child-is-a-refusal",
        "a child that exists is the one that was to be created",
        (Change(children.Children.launch, {"if await self.admin.get_child(child) is None:": "if True:"}),),
    ),
    Mutant(
        "child-of-every-attempt-is-the-same",
        "each attempt of a launch plan is an execution of its own",
        (Change(launch_plans.child_execution, {"node.unique_id, attempt)": "node.unique_id, 0)"}),),
    ),
    Mutant(
        "outputs-of-a-child-not-taken",
        "a node has the outputs of its child when it has succeeded",
        (Change(children.Children._take_outputs, {"await self.store.write(target, data)": "pass"}),),
    ),
    Mutant(
        "rejection-lets-through",
        "an approval that is refused fails its node",
        (Change(gates.Gates._outputs, {"if not primitive.boolean:": "if False:"}),),
    ),
    Mutant(
        "gate-does-not-wait-again",
        "a gate whose time is over waits again as often as the user has said, and no more often",
        (Change(task_nodes.retry_or_fail, {"turn.opening.append(index)": "pass"}),),
    ),
    Mutant(
        "failure-node-within-left-out",
        "a sub-workflow that fails runs its failure node first",
        (Change(sub_workflows.fail_around, {"if turn.node(parent).failure is not None and": "if False and"}),),
    ),
    Mutant(
        "failure-within-forgotten-on-restart",
        "what a failure node is to handle is stored until it has ended",
        (Change(serde._node_to_json, {"if node.error is not None else None": "if False else None"}),),
    ),
)


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """Put the mutant's code in the place of the real one."""
    originals = []
    try:
        for change in mutant.changes:
            code = _changed(change)
            originals.append((change.function, change.function.__code__))
            change.function.__code__ = code
        yield
    finally:
        for function, code in reversed(originals):
            function.__code__ = code


def _changed(change: Change) -> CodeType:
    source = textwrap.dedent(inspect.getsource(change.function))
    for before, after in change.texts.items():
        if source.count(before) != 1:
            raise AssertionError(f"{change.function.__qualname__} no longer has {before!r} once: renew its mutant")
        source = source.replace(before, after)
    names: dict[str, Any] = {}
    code = compile(f"from __future__ import annotations\n{source}", f"<{change.function.__qualname__}>", "exec")
    exec(code, dict(change.function.__globals__), names)
    changed: CodeType = names[change.function.__name__].__code__
    return changed
