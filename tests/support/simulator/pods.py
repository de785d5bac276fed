"""The pods of the simulated world, and the kubelet that runs them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar

from flyte_core import paths
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.shell.ports import Launched
from simulator.scenarios import BROKEN, FLAKY, HANGS, OK

PENDING, RUNNING, DONE = range(3)
LOST = "lost"
Place = tuple[str, str]
"""Execution, node."""


@dataclass
class Pod:
    """A pod. It is there until its object is deleted, whatever its process does."""

    place: Place
    attempt: int
    uid: str
    fate: str
    job: bytes = b""
    state: int = PENDING
    deleting: bool = False


class Pods:
    """All pods, by name.

    :param slow: also the object of a pod that has ended takes its time to go
    :ivar births: how often each attempt has been started
    :ivar overlaps: attempts that were started before the one before was gone
    """

    def __init__(self, store: BlobStore, *, slow: bool) -> None:
        self._store = store
        self._slow = slow
        self.alive: dict[str, Pod] = {}
        self.births: Counter[str] = Counter()
        self.overlaps: list[str] = []
        self.attempts: Counter[Place] = Counter()
        self.lost: Counter[Place] = Counter()

    def launch(self, ctx: TaskContext, fate: str, job: bytes = b"") -> Launched:
        """Create the pod, or find it.

        :param job: what it leaves in place of outputs
        """
        name = ctx.generated_name
        pod = self.alive.get(name)
        if pod is None:
            execution = ctx.id.node_execution_id
            self.births[name] += 1
            place = (execution.execution_id.name, execution.node_id)
            self.overlaps += [name for other in self.alive.values() if other.place == place]
            self.attempts[place] += 1
            uid = f"{name}.{self.births[name]}"
            pod = self.alive[name] = Pod(place, ctx.id.retry_attempt, uid, fate, job)
        return Launched(pod.uid)

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return what the pod shows; a success has outputs."""
        pod = self.alive.get(ctx.generated_name)
        if pod is None or pod.uid != launched.token:
            return _failure(TaskPhase.RETRYABLE_FAILURE, "ResourceDeletedExternally", ExecutionError.SYSTEM)
        if pod.fate == LOST:
            return _failure(TaskPhase.RETRYABLE_FAILURE, "Interrupted", ExecutionError.SYSTEM)
        if pod.state == PENDING:
            return PhaseInfo(TaskPhase.QUEUED, 1)
        if pod.state == RUNNING or pod.fate == HANGS:
            return PhaseInfo(TaskPhase.RUNNING, 1)
        if pod.fate == FLAKY:
            return _failure(TaskPhase.RETRYABLE_FAILURE, FLAKY, ExecutionError.USER)
        if pod.fate == BROKEN:
            return _failure(TaskPhase.PERMANENT_FAILURE, BROKEN, ExecutionError.USER)
        if pod.job:
            await self._store.write(paths.join(ctx.paths.output_prefix, paths.FUTURES), pod.job)
            return PhaseInfo(TaskPhase.SUCCESS, has_futures=True)
        inputs = LiteralMap.FromString(await self._store.read(ctx.paths.inputs))
        index = int(ctx.env.get("FLYTE_K8S_ARRAY_INDEX", -1))
        total = 1 + sum(_number(value, index) for value in inputs.literals.values())
        outputs = LiteralMap(literals={"o": Literal(scalar=Scalar(primitive=Primitive(integer=total)))})
        await self._store.write(paths.join(ctx.paths.output_prefix, paths.OUTPUTS), outputs.SerializeToString())
        return PhaseInfo(TaskPhase.SUCCESS)

    def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        """Ask for the end of the pod; a running process takes its time."""
        pod = self.alive.get(ctx.generated_name)
        if pod is None or (launched is not None and pod.uid != launched.token):
            return True
        pod.deleting = True
        if pod.state == PENDING or (pod.state == DONE and not self._slow):
            del self.alive[ctx.generated_name]
            return True
        return False

    def of(self, execution: str) -> list[str]:
        """Return the names of the execution's pods that are there."""
        return [name for name, pod in self.alive.items() if pod.place[0] == execution]

    def step(self, name: str) -> None:
        """Let the kubelet do one thing with the pod."""
        pod = self.alive[name]
        if pod.deleting:
            del self.alive[name]
        elif pod.state < DONE and not (pod.state == RUNNING and pod.fate == HANGS):
            pod.state += 1

    def lose(self, name: str) -> None:
        """The pod's machine is lost; its object stays, as a finalizer holds it."""
        pod = self.alive[name]
        pod.fate, pod.state = LOST, DONE
        self.lost[pod.place] += 1

    def collect(self, name: str) -> None:
        """The pod's object vanishes, as no finalizer holds it."""
        self.lost[self.alive.pop(name).place] += 1


def _number(value: Literal, index: int) -> int:
    """Return the number, the one of that index in a list for an element of a map, or the sum of a list."""
    if not value.HasField("collection"):
        return value.scalar.primitive.integer
    items = value.collection.literals
    return _number(items[index], -1) if index >= 0 else sum(_number(item, -1) for item in items)


def _failure(phase: TaskPhase, code: str, kind: ExecutionError.ErrorKind) -> PhaseInfo:
    return PhaseInfo(phase, error=ExecutionError(code=code, message=f"{code}!", kind=kind))


__all__ = ["DONE", "OK", "PENDING", "RUNNING", "Place", "Pod", "Pods"]
