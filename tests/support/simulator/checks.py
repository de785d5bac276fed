"""What must hold when a world is healed and drained, whatever happened in it. The numbers are the invariants' names."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import NodeExecution, WorkflowExecution
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.cluster import FLYTE_WORKFLOW, Manifest
from flyte_core.phases import TERMINAL_WORKFLOW_PHASES, WorkflowPhase
from simulator.control_plane import ENDED_NODE, ENDED_TASK, ENDED_WORKFLOW
from simulator.scenarios import HANDLER, Launched
from simulator.world import RECOVERY, World

REPORTED = {
    WorkflowPhase.SUCCESS: WorkflowExecution.SUCCEEDED,
    WorkflowPhase.FAILED: WorkflowExecution.FAILED,
    WorkflowPhase.ABORTED: WorkflowExecution.ABORTED,
}


async def violations(world: World) -> list[str]:
    """Return what does not hold, each with the name of its invariant."""
    found = [f"I3 attempt {name} was started {count} times" for name, count in world.pods.births.items() if count > 1]
    found += [f"I3 attempt {name} overlaps with the one before" for name in world.pods.overlaps]
    found += [f"I10 attempt {name} started while another one had the reservation" for name in world.out_of_turn]
    # What a dynamic node has made runs again with it ("a-0-b"), and a failure node for each failure.
    found += [
        f"I12 {node_id} ran again in a recovery"
        for name, node_id in world.pods.attempts
        if name == RECOVERY and node_id in world.recovered and not _runs_anew(world, node_id)
    ]
    found += [f"I3 child {name} overlaps with the one before" for name in world.children.overlaps]
    found += [f"I5 pod {name} is left behind" for name in world.pods.alive]
    found += [f"I5 child {name} is left behind" for name in world.children.open()]
    for run in world.runs.values():
        manifest = await world.cluster.get(FLYTE_WORKFLOW, run.namespace, run.name)
        found += _progress(run, manifest)
        found += _history(world, run)
        found += _budget(world, run)
        found += _elements(world, run)
        if manifest is not None:
            found += _outcome(world, run, manifest)
            found += await _result(world, run, manifest)
    return found


def _runs_anew(world: World, node_id: str) -> bool:
    """Return whether the node is a failure handler, which runs for each failure, or within one, or within the graph of
    a dynamic node, which is made anew.
    """
    outer = node_id.split("-")[0]
    makes = world.runs[RECOVERY].scenario.task(outer).makes
    return HANDLER in node_id.split("-") or (bool(makes) and node_id != outer)


def _progress(run: Launched, manifest: Manifest | None) -> list[str]:
    if manifest is None:
        return []
    ended = manifest["metadata"]["labels"].get("termination-status") == "terminated"
    phase = WorkflowPhase(manifest["status"]["phase"])
    if not ended or phase not in TERMINAL_WORKFLOW_PHASES:
        return [f"I13 {run.name} ({run.scenario.name}) does not end: {phase.name}"]
    if manifest["metadata"].get("finalizers"):
        return [f"I5 {run.name} keeps its finalizer"]
    return []


def _history(world: World, run: Launched) -> list[str]:
    """Terminal is absorbing, in what was stored and in what the control plane was told; attempts have no gap."""
    found = [f"I5 {run.name} is let go of before {name}" for name in world.history[run.name].let_go_with]
    stored = world.history[run.name].phases
    ended = [phase for phase in stored if phase in TERMINAL_WORKFLOW_PHASES]
    if ended and stored[stored.index(ended[0]) :] != [ended[0]] * (len(stored) - stored.index(ended[0])):
        found.append(f"I4 {run.name}: stored phases {stored}")
    recorded = world.admin.executions[run.name]
    if recorded.phase not in ENDED_WORKFLOW:
        found.append(f"I1 {run.name} ({run.scenario.name}): the control plane never learns its end")
    for name, history in (*recorded.nodes.items(), *recorded.tasks.items()):
        ends = [phase for phase, _ in history if phase in (ENDED_TASK if isinstance(name, tuple) else ENDED_NODE)]
        if len(ends) > 1 or (not ends and run.name not in world.aborted):
            found.append(f"I4 {run.name} {name}: {history}")
    for node_id in run.scenario.skipped if run.name not in world.aborted else ():
        if recorded.nodes.get(node_id) != [(NodeExecution.SKIPPED, 0)]:
            found.append(f"I6 {run.name} {node_id} is not skipped: {recorded.nodes.get(node_id)}")
    for node_id in run.scenario.ran if run.name not in world.aborted else ():
        if recorded.nodes.get(node_id, [(0, 0)])[-1][0] != NodeExecution.SUCCEEDED:
            found.append(f"I6 {run.name} {node_id} did not run: {recorded.nodes.get(node_id)}")
    for node_id, attempt in recorded.tasks:
        if attempt and (node_id, attempt - 1) not in recorded.tasks:
            found.append(f"I4 {run.name} {node_id}: no attempt before {attempt}")
    return found


def _elements(world: World, run: Launched) -> list[str]:
    """The control plane learns how each attempt of an element has ended, and what became of each element."""
    recorded, found = world.admin.executions[run.name], []
    for (node_id, element, attempt), phase in recorded.elements.items():
        running = phase not in ENDED_TASK and world.pods.attempts[run.name, f"{node_id}-0-n{element}"] > attempt
        if running and run.name not in world.aborted:
            found.append(f"I7 {run.name} {node_id}[{element}] attempt {attempt}: {phase} to the last")
    return found


def _budget(world: World, run: Launched) -> list[str]:
    found = []
    for (name, node_id), count in (*world.pods.attempts.items(), *world.children.attempts.items()):
        most = run.scenario.most_attempts(node_id) + world.pods.lost[name, node_id]
        if name == run.name and count > most:
            found.append(f"I6 {name} {node_id}: {count} attempts, {most} allowed")
    return found


def _outcome(world: World, run: Launched, manifest: Manifest) -> list[str]:
    """The end is the scenario's own, and the control plane knows the same."""
    status = manifest["status"]
    phase, code = WorkflowPhase(status["phase"]), status.get("error", {}).get("code", "")
    right = (run.scenario.phase, run.scenario.code)
    recorded = world.admin.executions[run.name]
    found = []
    if (phase, code) != right and not (run.name in world.aborted and phase is WorkflowPhase.ABORTED):
        found.append(f"I6 {run.name} ({run.scenario.name}) ended as {phase.name} {code!r}: {status.get('message', '')}")
    if phase in REPORTED and recorded.phase != REPORTED[phase]:
        found.append(f"I4 {run.name}: stored as {phase.name}, reported as {recorded.phase}")
    return found


async def _result(world: World, run: Launched, manifest: Manifest) -> list[str]:
    if manifest["status"]["phase"] != WorkflowPhase.SUCCESS:
        return []
    uri = f"{manifest['status']['dataDir']}/end-node/data/0/outputs.pb"
    outputs = LiteralMap.FromString(await world.store.read(uri))
    result = outputs.literals["o"].scalar.primitive.integer
    return [] if result == run.scenario.result else [f"I12 {run.name} ({run.scenario.name}) returned {result}"]
