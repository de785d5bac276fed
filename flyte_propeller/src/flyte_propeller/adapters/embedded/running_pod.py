"""One pod on this machine: starts its containers as processes, waits for their ends, ends them early when asked to."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyte_core.cluster import Manifest
from flyte_core.errors import FlyteError
from flyte_core.storage import BlobStore
from flyte_propeller.adapters.embedded import pod_status
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder, Claim
from flyte_propeller.adapters.embedded.entrypoints import prepare
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable
from flyte_propeller.adapters.embedded.warm import WarmParents, process_exists, session_members

LOG = logging.getLogger(__name__)
LOST_CODE = -signal.SIGKILL
EXIT_FILE_SECONDS = 2.0
"""How long the end of a process may be ahead of the file that says how it ended."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a pod needs of this machine.

    :ivar logs: folder of logs: ``namespace/pod/container.log``
    """

    store: BlobStore
    images: ImageTable
    warm: WarmParents
    logs: Path

    def log_file(self, namespace: str, pod: str, container: str) -> Path:
        """Return where a container's output goes."""
        return self.logs / namespace / pod / f"{container}.log"


class CannotStart(Exception):
    """A container that cannot be started; (reason, message) as Kubernetes has them."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RunningPod:
    """The processes of one pod."""

    def __init__(self, manifest: Manifest, folder: AttemptFolder, machine: Machine) -> None:
        self.manifest = manifest
        self.folder = folder
        self._machine = machine
        self._metadata: Mapping[str, Any] = manifest["metadata"]
        self.started = pod_status.now()
        self._ends: dict[str, asyncio.Future[int]] = {}

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The containers of the pod's spec."""
        return list(self.manifest["spec"]["containers"])

    async def start(self) -> None:
        """Start every container, or adopt those that an earlier server has started.

        :raises CannotStart: if one cannot be started; none is left running
        """
        for container in self.containers:
            name = container["name"]
            end = self._ends[name] = asyncio.get_running_loop().create_future()
            code = self.folder.exit_code(name)
            if code is not None:
                end.set_result(code)
            elif self.folder.claim_file(name).exists():
                adopted = asyncio.create_task(self._adopt(name, end))
                adopted.add_done_callback(lambda task: task.exception())
            else:
                await self._start_one(container, end)

    async def wait(self) -> dict[str, Any]:
        """Wait until every container has ended; return their states."""
        states = {}
        for container in self.containers:
            name = container["name"]
            code = await self._ends[name]
            log = self._machine.log_file(self._metadata["namespace"], self._metadata["name"], name)
            message = pod_status.tail(log) if code != 0 else ""
            lost = code == LOST_CODE and self.folder.exit_code(name) is None
            reason = "ContainerStatusUnknown" if lost else ""
            states[name] = pod_status.terminated(code, self.started, message, reason)
        return states

    async def kill(self, grace_seconds: float) -> None:
        """End all processes: SIGTERM, then after the grace SIGKILL, for the whole session of each."""
        claims = [claim for claim in self.folder.claims() if process_exists(*claim)]
        for claim in claims:
            _signal_group(claim, signal.SIGTERM)
        deadline = asyncio.get_running_loop().time() + grace_seconds
        while any(process_exists(*claim) for claim in claims):
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(0.02)
        for claim in claims:
            _kill_session(claim)

    async def _start_one(self, container: Mapping[str, Any], end: asyncio.Future[int]) -> None:
        name, image = container["name"], container.get("image", "")
        environment = self._machine.images.find(image)
        argv = [*(container.get("command") or ()), *(container.get("args") or ())]
        problem = self._machine.images.problem(image, Path(argv[0]).name if argv else "")
        if problem:
            raise CannotStart("InvalidImageName", problem)
        work = self.folder.work
        try:
            prepared = await prepare(argv, work, self._machine.store)
            problem = self._machine.images.problem(image, Path(prepared.argv[0]).name)
            if problem:
                raise CannotStart("InvalidImageName", problem)
            env = self._environment(container, environment, prepared.python_path)
        except FlyteError as error:
            raise CannotStart("CreateContainerConfigError", str(error)) from error
        log = self._machine.log_file(self._metadata["namespace"], self._metadata["name"], name)
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        request = {
            "id": f"{self._metadata['uid']}/{name}",
            "claim": str(self.folder.claim_file(name)),
            "exit": str(self.folder.exit_file(name)),
            "argv": list(prepared.argv),
            "env": env,
            "cwd": str(work),
            "log": str(log),
        }

        def on_exit(code: int) -> None:
            if not end.done():
                end.set_result(code)

        parent = await self._machine.warm.of(environment.python)
        await parent.run(request, on_exit)
        parent.watch_death(lambda: self._parent_died(name, end))

    def _environment(
        self, container: Mapping[str, Any], environment: Environment, python_path: tuple[str, ...]
    ) -> dict[str, str]:
        """Return the whole environment of a container: nothing of the server's own."""
        work = str(self.folder.work)
        env = {
            "PATH": f"{environment.scripts}:/usr/local/bin:/usr/bin:/bin",
            "HOME": work,
            "TMPDIR": f"{work}/tmp",
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        for variable in container.get("env") or ():
            if "valueFrom" in variable:
                text = f"env {variable['name']}: valueFrom is not supported by the embedded cluster; give a value"
                raise CannotStart("CreateContainerConfigError", text)
            env[variable["name"]] = variable.get("value", "")
        if python_path:
            env["PYTHONPATH"] = os.pathsep.join([*python_path, *filter(None, [env.get("PYTHONPATH", "")])])
        return env

    def _parent_died(self, name: str, end: asyncio.Future[int]) -> None:
        if not end.done():
            adopted = asyncio.create_task(self._adopt(name, end))
            adopted.add_done_callback(lambda task: task.exception())

    async def _adopt(self, name: str, end: asyncio.Future[int]) -> None:
        """Wait for the end of a process that is not this server's child."""
        claim = self.folder.claim(name)
        for _ in range(100):
            if claim is not None:
                break
            await asyncio.sleep(0.01)  # it has created the file and not yet written it
            claim = self.folder.claim(name)
        if claim is not None:
            while process_exists(*claim):
                if self.folder.exit_code(name) is not None:
                    break
                await asyncio.sleep(0.05)
        deadline = asyncio.get_running_loop().time() + EXIT_FILE_SECONDS
        code = self.folder.exit_code(name)
        while code is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
            code = self.folder.exit_code(name)
        if claim is not None:
            _kill_session(claim)
        if not end.done():
            end.set_result(LOST_CODE if code is None else code)


def _signal_group(claim: Claim, number: int) -> None:
    if process_exists(*claim):
        try:
            os.killpg(claim.pid, number)
        except ProcessLookupError:
            LOG.debug("process group %d is gone", claim.pid)


def _kill_session(claim: Claim) -> None:
    """Kill what is left of the container's session. Its leader's number is not given anew while members live."""
    _signal_group(claim, signal.SIGKILL)
    for pid in session_members(claim.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            LOG.debug("process %d is gone", pid)
