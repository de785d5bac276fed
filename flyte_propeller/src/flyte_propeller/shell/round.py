"""One round: read fresh, gather, evaluate, report, store, act. The order is that of flyte_propeller.machine.effects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flyte_core import paths
from flyte_core.clock import Clock
from flyte_core.cluster import FLYTE_WORKFLOW, Cluster, Manifest
from flyte_core.errors import SystemFault
from flyte_core.storage import BlobStore
from flyte_propeller.machine.effects import Ask, Finish, Step
from flyte_propeller.machine.evaluate import evaluate
from flyte_propeller.machine.facts import Facts
from flyte_propeller.serde import inline_state, referred_state, status_of
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.apply import apply, send_events
from flyte_propeller.shell.execution import Execution, Inbox
from flyte_propeller.shell.gather import Answers, gather
from flyte_propeller.shell.ports import AdminEvents, TaskHost

FINALIZER = "flyte.org/finalizer"
MAX_REFUSALS = 3
"""Evaluations of one round that the control plane may answer with a refusal."""
MAX_ASKS = 10_000
"""Evaluations of one round, at most; a machine that asks on and on is a bug."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as far as a round needs it."""

    cluster: Cluster
    store: BlobStore
    admin: AdminEvents
    host: TaskHost
    clock: Clock
    settings: PropellerSettings


async def run_round(execution: Execution, ports: Ports) -> bool:
    """Bring one execution one round forward. The caller has read its manifest fresh.

    Return True when another round has something to do at once.

    :raises flyte_core.errors.SystemFault: if a port does not answer, or somebody else wrote: nothing is lost, the
        round is run again over what is stored then
    """
    inbox = execution.inbox
    facts = await gather(execution, ports.host, ports.store, ports.clock)
    answers = Answers(execution, ports.store, ports.settings.output_limit)
    step = await _evaluate(execution, facts, answers, ports)
    execution.inbox = Inbox()
    try:
        if step.save or _finishes(step):
            execution.manifest = await _save(execution, step, ports)
    except BaseException:
        execution.inbox = inbox
        raise
    _take_over(execution, step, facts)
    more = await apply(execution, step.effects, ports.host, ports.store)
    return more or bool(step.state.ready and step.save)


async def _evaluate(execution: Execution, facts: Facts, answers: Answers, ports: Ports) -> Step:
    """Evaluate until nothing is asked, and until the control plane takes the events."""
    refusals = 0
    for _ in range(MAX_ASKS):
        step = evaluate(execution.workflow, execution.state, facts)
        asked = [e.node for e in step.effects if isinstance(e, Ask) and e.node not in facts.inputs]
        if asked:
            facts = await answers.add(facts, asked)
            continue
        ready = execution.state.started_at is None
        refusal = await send_events(ports.admin, step.effects, ready=ready)
        if refusal is None:
            return step
        refusals += 1
        if refusals > MAX_REFUSALS:
            refusal = replace(refusal, node=None)
        facts = replace(facts, refusal=refusal)
    raise SystemFault(f"{execution.workflow.execution.name}: the machine asked {MAX_ASKS} times in one round")


def _finishes(step: Step) -> bool:
    return any(isinstance(effect, Finish) for effect in step.effects)


def _take_over(execution: Execution, step: Step, facts: Facts) -> None:
    execution.state = step.state
    for index in step.touched:
        if index not in step.state.active:
            execution.timers.pop(index, None)
            execution.inputs.pop(index, None)
    for index in facts.timers & execution.timers.keys():
        del execution.timers[index]
        node, known = step.state.active.get(index), execution.workflow.nodes[index]
        if node is not None and known.active_deadline and node.queued_at:
            execution.timers[index] = node.queued_at + known.active_deadline


async def _save(execution: Execution, step: Step, ports: Ports) -> Manifest:
    """Store the new state by compare-and-swap; the last time, with the labels of an ended workflow."""
    execution.writer.note(step.state, step.touched)
    encoded = execution.writer.encode(step.state)
    now = ports.clock.now()
    status = status_of(step.state, execution.workflow.data_dir, now)
    if len(encoded) <= ports.settings.status_limit:
        status["flyteState"] = inline_state(encoded)
    else:
        name = f"state-{execution.resource_version}"
        uri = paths.join(execution.workflow.data_dir, ".state", name)
        await ports.store.write(uri, encoded)
        status["flyteState"] = referred_state(uri)
    manifest = {**execution.manifest, "status": status}
    if _finishes(step):
        manifest["metadata"] = _ended(execution.manifest["metadata"], now)
    return await ports.cluster.replace(manifest)


def _ended(metadata: Manifest, now: datetime) -> dict[str, Any]:
    labels = {
        **(metadata.get("labels") or {}),
        "termination-status": "terminated",
        "completed-time": now.strftime("%Y-%m-%d.%H"),
    }
    finalizers = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
    return {**metadata, "labels": labels, "finalizers": finalizers}


async def refresh(execution: Execution, ports: Ports) -> Manifest | None:
    """Return the FlyteWorkflow as stored now, None if there is none any more."""
    workflow = execution.workflow
    name = execution.manifest["metadata"]["name"]
    return await ports.cluster.get(FLYTE_WORKFLOW, workflow.namespace, name)
