"""One round: gather, read fresh, evaluate, report, store, act. The order is that of flyte_propeller.machine.effects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flyte_core.clock import Clock
from flyte_core.cluster import FLYTE_WORKFLOW, Cluster
from flyte_core.errors import Conflict, SystemFault
from flyte_core.storage import BlobStore
from flyte_propeller.machine.effects import AskGraph, Finish, Step
from flyte_propeller.machine.evaluate import evaluate
from flyte_propeller.machine.facts import Facts, Refusal
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.answers import Answers, unanswered
from flyte_propeller.shell.apply import apply
from flyte_propeller.shell.caching import Caching
from flyte_propeller.shell.children import Children
from flyte_propeller.shell.execution import Execution, Inbox
from flyte_propeller.shell.gates import Gates
from flyte_propeller.shell.gather import gather
from flyte_propeller.shell.graphs import Graphs
from flyte_propeller.shell.outside import Outside
from flyte_propeller.shell.ports import Catalog, ControlPlane, PastExecutions, TaskHost, plugins_of
from flyte_propeller.shell.recovering import Recovering
from flyte_propeller.shell.reporting import report
from flyte_propeller.shell.saving import discard_old_states, save

ABORTED_BY_DELETION = "Workflow aborted."
"""Upstream's reason for a FlyteWorkflow that is being deleted."""
MAX_REFUSALS = 3
"""Evaluations of one round that the control plane may answer with a refusal."""
MAX_ASKS = 1_000
"""Evaluations of one round, at most; a machine that asks on and on is a bug."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as a round needs it.

    :ivar catalog: None where there is none: nothing is cached
    :ivar past: where a recovery reads what is done already; None to run everything anew
    """

    cluster: Cluster
    store: BlobStore
    admin: ControlPlane
    host: TaskHost
    clock: Clock
    settings: PropellerSettings
    catalog: Catalog | None = None
    past: PastExecutions | None = None

    def caching(self, execution: Execution) -> Caching:
        """Return what talks to the catalog about this execution."""
        return Caching(execution, self.catalog, self.store, self.settings.output_limit)

    def outside(self) -> Outside:
        """Return what creates, looks at and deletes attempts of nodes of every kind."""
        children = Children(self.admin, self.store, self.clock, self.settings.output_limit)
        return Outside(self.host, children, Gates(self.admin, self.store, self.clock))


async def run_round(execution: Execution, ports: Ports) -> bool:
    """Bring one execution one round forward. Return True when another round has something to do at once.

    :raises flyte_core.errors.Conflict: if somebody else has written: the execution must be loaded anew
    :raises flyte_core.errors.SystemFault: if a port does not answer: nothing is lost, the round is to be run again
    """
    inbox = execution.take_inbox()
    try:
        step = await _decide(execution, inbox, ports)
        if step is None:
            return False
        if step.save or _finishes(step):
            await save(execution, step, ports.cluster, ports.store, ports.settings, ports.clock.now())
    except BaseException:
        execution.inbox.add(inbox)
        raise
    _take_over(execution, step)
    new_facts = await apply(execution, step.effects, ports.outside(), ports.caching(execution), ports.clock)
    if execution.overflow:
        await discard_old_states(execution, ports.store)
    return new_facts or step.more or bool(execution.inbox.dirty)


async def _decide(execution: Execution, inbox: Inbox, ports: Ports) -> Step | None:
    """Return the step whose events the control plane has taken; None when there is nothing to drive any more."""
    facts = await gather(execution, inbox, ports.outside(), ports.store, ports.clock)
    if not await is_current(execution, ports.cluster):
        execution.finished = True
        return None
    if execution.manifest["metadata"].get("deletionTimestamp"):
        facts = replace(facts, abort=ABORTED_BY_DELETION)
    return await _evaluate(execution, facts, ports)


async def is_current(execution: Execution, cluster: Cluster) -> bool:
    """Read the FlyteWorkflow fresh. Return False when it is gone or ended: there is nothing to drive any more.

    :raises flyte_core.errors.Conflict: if its status is not the one in memory
    """
    known = execution.manifest["metadata"]
    manifest = await cluster.get(FLYTE_WORKFLOW, known["namespace"], known["name"])
    if manifest is None or manifest["metadata"]["uid"] != known["uid"]:
        return False
    if manifest["metadata"]["resourceVersion"] == known["resourceVersion"]:
        return True
    if (manifest["metadata"].get("labels") or {}).get("termination-status") == "terminated":
        return False
    stored = (manifest.get("status") or {}).get("flyteState")
    if stored != (execution.manifest.get("status") or {}).get("flyteState"):
        raise Conflict(f"{known['name']}: the state in memory is older than the stored one")
    execution.manifest = manifest
    return True


async def _evaluate(execution: Execution, facts: Facts, ports: Ports) -> Step:
    """Evaluate until nothing is asked, and until the control plane takes the events."""
    limit = ports.settings.output_limit
    recovering = Recovering(execution.workflow, ports.past, ports.store, limit)
    answers = Answers(execution, ports.store, ports.caching(execution), recovering, limit)
    graphs = Graphs(execution, ports.store, ports.admin, ports.settings, plugins_of(ports.host))
    refusals = 0
    for _ in range(MAX_ASKS):
        step = evaluate(execution.workflow, execution.state, facts)
        asked = unanswered(step.effects, facts)
        if asked:
            facts = await answers.add(facts, asked)
            continue
        graphless = [e for e in step.effects if isinstance(e, AskGraph) and e not in facts.graphs]
        if graphless:
            facts = await graphs.add(facts, graphless)
            continue
        refusal = await report(ports.admin, step.effects, ready=execution.state.started_at is None)
        if refusal is None:
            return step
        if not await is_current(execution, ports.cluster):
            raise Conflict(f"{execution.workflow.execution.name}: ended by somebody else")
        refusals += 1
        facts = replace(facts, refusal=_hardened(refusal) if refusals > MAX_REFUSALS else refusal)
    raise SystemFault(f"{execution.workflow.execution.name}: the machine asked {MAX_ASKS} times in one round")


def _hardened(refusal: Refusal) -> Refusal:
    """A node whose events are refused again and again ends the execution."""
    return replace(refusal, node=None, closed=refusal.node is None)


def _finishes(step: Step) -> bool:
    return any(isinstance(effect, Finish) for effect in step.effects)


def _take_over(execution: Execution, step: Step) -> None:
    execution.state = step.state
    execution.grow(step.grown)
    for index in step.touched:
        if index not in step.state.active:
            execution.inputs.pop(index, None)
