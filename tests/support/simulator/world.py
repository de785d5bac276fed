"""One seeded run: a world with faults, then the same world healed and drained."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flyte_core.cluster import FLYTE_WORKFLOW, Manifest
from flyte_core.events import ExecutionEventRequest
from flyte_core.task_types import TaskContext
from flyte_core.testing.fakes import ManualClock, MemoryCluster, MemoryStore
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.catalog_keys import CacheKey
from flyte_propeller.shell.loading import load
from flyte_propeller.shell.ports import Launched
from flyte_propeller.testing import MemoryCatalog
from flyte_propeller.wakeups import Key
from simulator.children import Children
from simulator.control_plane import WELL_ENDED_NODE, ControlPlane, Recorded
from simulator.pods import DONE, Pods
from simulator.processes import NEVER, Crash, Process
from simulator.scenarios import SCENARIOS, Scenario
from simulator.scenarios import Launched as Run

STEPS = 30
DRAIN_ROUNDS = 60
MOST_LOST = 2
"""Pods that may vanish of one node: less than the budget for failures of the platform, so the outcome is the same."""
MOST_JUMPS = 5
"""Times that a deadline passes, whatever is late; less than the attempts of the workflow with deadlines."""
PORTS = ("admin", "store", "cluster", "host", "catalog")
RARE = ("launch", "delete", "create_child", "terminate_child", "get_or_create_signal")
"""Calls that a round seldom makes: a process that dies at a random one hardly ever dies there."""
JUMP = 1001.0
SERIALIZED_WEIGHT = 4
"""The calls about reservations are few: without more of them no process dies at each."""
RECOVERY = "r"
"""Name of the execution that recovers another one."""


@dataclass(frozen=True)
class Options:
    """What this world may do; mutants that live in the world and not in the code are switches here.

    :ivar finalizers: a finished pod stays until its finalizer is removed
    :ivar never: ports that never answer
    :ivar often: names of actions that every seed knows, and does often
    :ivar scenarios: names of the scenarios; none for all
    """

    finalizers: bool = True
    never: tuple[str, ...] = ()
    often: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()


FAIR = Options()


@dataclass
class History:
    """What was stored of one execution.

    :ivar let_go_with: pods that were still there when the FlyteWorkflow was let go of
    """

    phases: list[int] = field(default_factory=list)
    let_go_with: list[str] = field(default_factory=list)


class World:
    """Everything that a seed decides. The same seed gives the same world, step by step."""

    def __init__(self, seed: int, options: Options = FAIR) -> None:
        self.random = random.Random(seed)
        self.options = options
        self.clock = ManualClock()
        self.store = MemoryStore("s3://b/", clock=self.clock)
        self.cluster = MemoryCluster(clock=self.clock)
        self.admin = ControlPlane()
        self.catalog = MemoryCatalog(self.clock)
        self.pods = Pods(self.store, slow=self.random.random() < 0.5)
        self.children = Children(self.clock, lambda run, node, attempt: self.runs[run].scenario.fate(node, attempt))
        small = self.random.random() < 0.3
        self.settings = PropellerSettings("s3://b/meta", "s3://b/raw", status_limit=64 if small else 2**18)
        self.down: set[str] = set(options.never)
        self.failed: set[str] = set()
        self.reserved: set[str] = set()
        self.recovered: set[str] = set()
        self.out_of_turn: list[str] = []
        self.late: list[Sequence[ExecutionEventRequest]] = []
        self.runs: dict[str, Run] = {}
        self.aborted: set[str] = set()
        self.history: dict[str, History] = {}
        self.boundaries: set[tuple[str, str]] = set()
        self.log: list[str] = []
        self.faulty = True
        self.born = 0
        self.jumps = 0
        self.loss = self.random.choice((0.0, 0.02, 0.1))
        self.processes: list[Process] = []

    # -- what the ports ask for

    def note(self, line: str) -> None:
        """Remember what happened."""
        self.log.append(line)

    def loses_request(self) -> bool:
        """Return True when a call does not arrive."""
        return self.faulty and self.loss > 0 and self.random.random() < self.loss / 2

    def loses_reply(self) -> bool:
        """Return True when the caller does not learn that its call was made."""
        return self.faulty and self.loss > 0 and self.random.random() < self.loss

    def delays(self, events: Sequence[ExecutionEventRequest]) -> bool:
        """Return True when these events arrive later."""
        if self.faulty and self.loss > 0 and self.random.random() < self.loss:
            self.late.append(events)
            return True
        return False

    async def store_state(self, manifest: Manifest) -> Manifest:
        """Compare and swap, with the history kept."""
        stored = await self.cluster.replace(manifest)
        name = manifest["metadata"]["name"]
        history = self.history[name]
        history.phases.append(manifest["status"]["phase"])
        if not manifest["metadata"]["finalizers"]:
            history.let_go_with += [*self.pods.of(name), *self.children.of(name)]
        return stored

    async def launch(self, ctx: TaskContext) -> Launched:
        """Create a pod, with the fate that the scenario has for this attempt of the user."""
        execution = ctx.id.node_execution_id
        run = self.runs[execution.execution_id.name]
        attempt = ctx.id.retry_attempt
        if attempt and run.scenario.changes_fate(execution.node_id):
            attempt -= await self._lost_attempts(run.name, execution.node_id)
        if run.scenario.serialized:
            self._check_turn(ctx)
        job = run.scenario.job(execution.node_id)
        return self.pods.launch(ctx, run.scenario.fate(execution.node_id, attempt), job)

    def _check_turn(self, ctx: TaskContext) -> None:
        """Only who has (had) the reservation may start, as long as every question to the catalog got its answer."""
        node = ctx.id.node_execution_id
        owner = f"{node.execution_id.name}-{node.node_id}-0"
        if owner not in self.reserved and "catalog" not in self.failed:
            self.out_of_turn.append(ctx.generated_name)

    async def reserve(self, key: CacheKey, owner: str, heartbeat: timedelta) -> bool:
        """Reserve in the catalog, and remember who has had a reservation."""
        held = await self.catalog.reserve(key, owner, heartbeat)
        if held:
            self.reserved.add(owner)
        return held

    async def _lost_attempts(self, name: str, node_id: str) -> int:
        """Return how many attempts of the node the platform has lost, by the state that is stored."""
        manifest = await self._stored(name)
        assert manifest is not None
        execution = await load(manifest, self.store, self.settings, lambda _: ("simulated", 50), None)
        node = execution.state.active.get(execution.index.get(node_id, -1))
        for address, element in execution.state.elements.items():
            if execution.workflow.at(address).unique_id == node_id:
                node = element
        return node.system_failures if node is not None else 0

    # -- the run

    async def run(self) -> None:
        """Do the faulty steps, heal, and drain; then perhaps the same with a recovery of what was run."""
        for number in range(1 if self.random.random() < 0.7 else 2):
            await self._submit(Run(self._scenario(), f"x{number}"))
        await self._play()
        if self.random.random() < 0.25:
            earlier = self.random.choice(list(self.runs.values()))
            nodes = self.admin.executions[earlier.name].nodes
            self.recovered = {name for name, history in nodes.items() if history[-1][0] in WELL_ENDED_NODE}
            await self._submit(Run(earlier.scenario, RECOVERY, recovers=earlier.name))
            self.faulty = True
            await self._play()

    async def _play(self) -> None:
        weights = self._swarm()
        for _ in range(STEPS):
            action = self.random.choices(list(weights), list(weights.values()))[0]
            await action()
        await self._heal()
        await self._drain()

    def _scenario(self) -> Scenario:
        known = [s for s in SCENARIOS if s.name in (self.options.scenarios or [s.name])]
        return self.random.choices(known, [SERIALIZED_WEIGHT if s.serialized else 1 for s in known])[0]

    async def _submit(self, run: Run) -> None:
        name = run.name
        self.runs[name] = run
        self.history[name] = History()
        self.admin.executions[name] = Recorded()
        await self.cluster.create(run.manifest())

    def _swarm(self) -> dict[Callable[[], Any], float]:
        """Each seed knows only some of what can happen, with weights of its own."""
        actions: dict[Callable[[], Any], float] = {self._attend: 8.0, self._run_pod: 6.0, self._run_child: 3.0}
        others = (
            self._crash,
            self._second,
            self._pause,
            self._resume,
            self._toggle_outage,
            self._long_outage,
            self._lose_pod,
            self._deliver,
            self._wait,
            self._jump,
            self._touch,
            self._abort,
            self._collect_pod,
            self._set_signal,
            self._crash_on_rare,
        )
        for action in others:
            if self.random.random() < 0.6:
                actions[action] = self.random.choice((0.3, 1.0, 2.0))
        if self.random.random() < 0.7:
            actions.pop(self._abort, None)
        for name in self.options.often:
            actions[getattr(self, f"_{name}")] = 3.0
        return actions

    # -- processes

    def _process(self) -> Process:
        self.processes = [process for process in self.processes if not process.dead]
        if not self.processes:
            self._start()
        return self.random.choice(self.processes)

    def _start(self) -> Process:
        self.born += 1
        process = Process(self, f"p{self.born}")
        self.processes.append(process)
        return process

    def _key(self) -> Key:
        return Key("p-d", self.random.choice(list(self.runs)))

    async def _attend(self, process: Process | None = None, key: Key | None = None) -> None:
        process, key = process or self._process(), key or self._key()
        if key in process.busy:
            return
        task = asyncio.create_task(process.propeller.attend(key))
        process.busy[key] = task
        await self._settle(process, key)

    async def _settle(self, process: Process, key: Key) -> None:
        """Let a task run to its end, or until its process is paused."""
        task = process.busy[key]
        while not task.done() and (process.gate is None or process.gate.done()):
            await asyncio.sleep(0)
        if task.done():
            del process.busy[key]
            try:
                task.result()
            except (Crash, asyncio.CancelledError):
                for other in process.busy.values():
                    other.cancel()

    async def _crash(self) -> None:
        process = self._process()
        process.crash_at = process.calls + self.random.randint(1, 25)
        process.crash_after = self.random.random() < 0.5
        await self._attend(process)

    async def _crash_on_rare(self) -> None:
        process = self._process()
        process.crash_on = self.random.choice(RARE)
        process.crash_after = self.random.random() < 0.5
        await self._attend(process)

    async def _second(self) -> None:
        if len(self.processes) < 2:
            self._start()
        await self._attend()

    async def _pause(self) -> None:
        process = self._process()
        if process.gate is None or process.gate.done():
            process.pause_at = process.calls + self.random.randint(1, 20)
            self._start()
            await self._attend(process)

    async def _resume(self) -> None:
        for process in list(self.processes):
            if process.gate is not None and not process.gate.done():
                await self._wake(process)

    async def _wake(self, process: Process) -> None:
        assert process.gate is not None
        process.gate.set_result(None)
        for key in list(process.busy):
            await self._settle(process, key)

    # -- faults

    async def _toggle_outage(self) -> None:
        self.down ^= {self.random.choice(PORTS)}

    async def _long_outage(self) -> None:
        port = self.random.choice(PORTS)
        self.down.add(port)
        process, key = self._process(), self._key()
        for _ in range(14):
            if not process.dead:
                await self._attend(process, key)
        self.down.discard(port)

    async def _run_pod(self) -> None:
        if self.pods.alive:
            await self._step_pod(self.random.choice(list(self.pods.alive)))

    async def _step_pod(self, name: str) -> None:
        pod = self.pods.alive[name]
        self.pods.step(name)
        for process in self.processes:
            for _ in range(self.random.choice((0, 1, 1, 2)) if self.faulty else 1):
                process.propeller.resource_changed(_pod_manifest(name, pod.place))

    async def _run_child(self) -> None:
        if self.children.open():
            self._step_child(self.random.choice(self.children.open()))

    def _step_child(self, name: str) -> None:
        self.children.step(name)
        for process in self.processes:
            if self.children.known[name].ended and (not self.faulty or self.random.random() < 0.5):
                process.propeller.execution_ended(Key("p-d", name))

    async def _set_signal(self) -> None:
        if self.children.unset():
            signal = self.children.set_signal(self.random.choice(self.children.unset()))
            for process in self.processes:
                if not self.faulty or self.random.random() < 0.5:
                    process.propeller.signal_set(signal.id)

    async def _lose_pod(self) -> None:
        alive = self.pods.alive.items()
        victims = [n for n, pod in alive if pod.state != DONE and self.pods.lost[pod.place] < MOST_LOST]
        if victims:
            name = self.random.choice(victims)
            self.note(f"{name} is lost")
            self.pods.lose(name)

    async def _collect_pod(self) -> None:
        """The cluster's garbage collection takes finished pods that no finalizer holds."""
        if not self.options.finalizers:
            for name in [n for n, pod in self.pods.alive.items() if pod.state == DONE]:
                self.pods.collect(name)

    async def _deliver(self) -> None:
        if self.late:
            self.admin.record(self.late.pop(self.random.randrange(len(self.late))))

    async def _wait(self) -> None:
        self.clock.advance(self.random.uniform(0.1, 5.0))

    async def _jump(self) -> None:
        if self.jumps < MOST_JUMPS:
            self.jumps += 1
            self.children.end_aborting()
            self.clock.advance(JUMP)

    async def _touch(self) -> None:
        """Somebody else writes to the FlyteWorkflow."""
        manifest = await self._stored(self._key().name)
        if manifest is not None:
            labels = {**manifest["metadata"]["labels"], "touched": str(len(self.log))}
            await self.cluster.replace({**manifest, "metadata": {**manifest["metadata"], "labels": labels}})

    async def _abort(self) -> None:
        key = self._key()
        manifest = await self._stored(key.name)
        if manifest is not None and "termination-status" not in manifest["metadata"]["labels"]:
            self.aborted.add(key.name)
            self.note(f"{key.name} is deleted")
            await self.cluster.delete(FLYTE_WORKFLOW, key.namespace, key.name)

    async def _stored(self, name: str) -> Manifest | None:
        return await self.cluster.get(FLYTE_WORKFLOW, "p-d", name)

    # -- the end of all faults

    async def _heal(self) -> None:
        self.faulty = False
        self.down = set(self.options.never)
        if self.random.random() < 0.5:
            await self._resume()
            while self.late:
                await self._deliver()

    async def _drain(self) -> None:
        awake = [p for p in self.processes if not p.dead and (p.gate is None or p.gate.done())]
        survivor = self.random.choice(awake) if awake and self.random.random() < 0.5 else self._start()
        survivor.crash_at = survivor.pause_at = NEVER
        survivor.crash_on = ""
        for _ in range(DRAIN_ROUNDS):
            before = self._moved()
            for name in list(self.runs):
                survivor.propeller.resync()
                await self._attend(survivor, Key("p-d", name))
            for name in list(self.pods.alive):
                await self._step_pod(name)
            for name in self.children.open():
                self._step_child(name)
            await self._set_signal()
            if await self._all_ended():
                break
            if self._moved() == before:
                self.clock.advance(JUMP)
        await self._resume()
        while self.late:
            await self._deliver()

    def _moved(self) -> tuple[int, list[tuple[str, int]]]:
        """Return what differs as long as anything moves."""
        going = [(pod.uid, pod.state) for pod in self.pods.alive.values()]
        going += [(name, child.closure.phase) for name, child in self.children.known.items()]
        going += [(name, 0) for name in self.children.unset()]
        return sum(len(history.phases) for history in self.history.values()), going

    async def _all_ended(self) -> bool:
        manifests = [await self._stored(name) for name in self.runs]
        return (
            not self.pods.alive
            and not self.children.open()
            and all(m is None or "termination-status" in m["metadata"]["labels"] for m in manifests)
        )

    def trace(self) -> str:
        """Return the hash of everything that happened."""
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()


def _pod_manifest(name: str, place: tuple[str, str]) -> Manifest:
    owner = {"kind": "FlyteWorkflow", "name": place[0], "controller": True}
    metadata = {"name": name, "namespace": "p-d", "labels": {"node-id": place[1]}, "ownerReferences": [owner]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


async def simulate(seed: int, options: Options = FAIR) -> World:
    """Return the world of that seed after its run."""
    world = World(seed, options)
    try:
        await world.run()
    finally:
        for process in world.processes:
            for task in process.busy.values():
                task.cancel()
    return world
