"""What a container's process needs: checked, unpacked, and written down as a request to a warm parent."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from flyte_core.cluster import Manifest
from flyte_core.errors import FlyteError, InvalidInput, SystemFault
from flyte_core.storage import BlobStore
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder
from flyte_propeller.adapters.embedded.copilot import PROGRAM, Copilot, copilot_of, is_copilot
from flyte_propeller.adapters.embedded.entrypoints import prepare
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable
from flyte_propeller.adapters.embedded.secrets import SecretSource, inject
from flyte_propeller.adapters.embedded.warm import WarmParents

LOG_LIMIT = 64 * 2**20
"""Bytes of one container's log; what is over it is cut from the middle."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = re.compile(r"([0-9.]+(?:[eE][0-9]+)?)(|k|M|G|T|Ki|Mi|Gi|Ti)")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a pod needs of this machine.

    :ivar logs: folder of logs: ``namespace/pod/container.log``
    :ivar secrets: where the values of secrets are
    :ivar log_limit: bytes of one log
    :ivar memory_limits: whether ``resources.limits.memory`` is enforced
    :ivar copilot: environment that has ``flyte-copilot``: that of this process
    """

    store: BlobStore
    images: ImageTable
    warm: WarmParents
    logs: Path
    secrets: SecretSource
    log_limit: int = LOG_LIMIT
    memory_limits: bool = False
    copilot: Environment = field(default_factory=lambda: Environment(Path(sys.executable)))

    def log_file(self, namespace: str, pod: str, container: str) -> Path:
        """Return where a container's output goes."""
        return self.logs / namespace / pod / f"{container}.log"


class CannotStart(Exception):
    """A container that can never be started as it is described; (reason, message) as Kubernetes has them."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ready:
    """A container that can be started.

    :ivar python: interpreter of its environment
    :ivar request: what its warm parent is asked for
    """

    python: Path
    request: Mapping[str, Any]


def check(pod: Manifest) -> None:
    """Refuse what the embedded cluster does not do.

    :raises CannotStart: naming it
    """
    spec = pod["spec"]
    if not all(map(is_copilot, spec.get("initContainers") or ())):
        raise CannotStart("CreateContainerConfigError", "initContainers are not supported by the embedded cluster")
    names = [container.get("name", "") for container in spec.get("containers") or ()]
    if not names:
        raise CannotStart("CreateContainerConfigError", "the pod has no containers")
    for name in names:
        if not _NAME.fullmatch(name) or names.count(name) > 1:
            raise CannotStart("CreateContainerConfigError", f"{name[:256]!r} is no name for a container of the pod")


async def ready(pod: Manifest, container: Mapping[str, Any], folder: AttemptFolder, machine: Machine) -> Ready:
    """Fetch and unpack the code of a container, and return what starts it.

    :raises CannotStart: if its image, command, code or environment are at fault
    :raises flyte_core.errors.SystemFault: if the object store or the disk is
    """
    metadata, name, image = pod["metadata"], container["name"], container.get("image", "")
    environment = machine.images.find(image)
    copilot = copilot_of(pod, name, folder)
    if copilot is not None:
        _check_copilot(copilot, machine)
        container = copilot.with_folders(container)
    argv = [*(container.get("command") or ()), *(container.get("args") or ())]
    _check_program(machine.images, image, argv)
    try:
        prepared = await prepare(argv, folder.work, machine.store)
        memory = _memory_limit(container) if machine.memory_limits else None
        secrets = inject(metadata.get("annotations") or {}, machine.secrets, folder.secrets)
    except SystemFault:
        raise
    except FlyteError as error:
        raise CannotStart("CreateContainerConfigError", str(error)) from error
    _check_program(machine.images, image, prepared.argv)
    log = machine.log_file(metadata["namespace"], metadata["name"], name)
    env = {**_environment(container, environment, folder, prepared.python_path), **secrets}
    request = {
        "id": f"{metadata['uid']}/{name}",
        "claim": str(folder.claim_file(name)),
        "exit": str(folder.exit_file(name)),
        "argv": list(prepared.argv),
        "env": env,
        "cwd": str(folder.work),
        "folders": [str(folder.work), str(folder.temporary), str(log.parent)],
        "log": str(log),
        "log_limit": machine.log_limit,
        "memory": memory,
    }
    if copilot is None:
        return Ready(environment.python, request)
    own = {**_environment(copilot.container, machine.copilot, folder, ()), **copilot.environment(env)}
    wrapped = {**request, "argv": copilot.wrapped(list(prepared.argv)), "env": own}
    return Ready(machine.copilot.python, wrapped)


def _check_copilot(copilot: Copilot, machine: Machine) -> None:
    for path in copilot.folders:
        if not path.startswith("/") or path == "/":
            text = f"{path!r} is no place for inputs or outputs: name a folder from the root, such as /var/inputs"
            raise CannotStart("CreateContainerConfigError", text)
    if not machine.copilot.has_program(PROGRAM):
        text = f"inputs and outputs as files need {PROGRAM}: install flyte-kit for {machine.copilot.python}"
        raise CannotStart("CreateContainerConfigError", text)


def _check_program(images: ImageTable, image: str, argv: list[str] | tuple[str, ...]) -> None:
    problem = images.problem(image, Path(argv[0]).name if argv else "")
    if problem:
        raise CannotStart("InvalidImageName", problem)


def _environment(
    container: Mapping[str, Any], environment: Environment, folder: AttemptFolder, python_path: tuple[str, ...]
) -> dict[str, str]:
    """Return the whole environment of a container: nothing of the server's own."""
    env = {
        "PATH": f"{environment.scripts}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder.work),
        "TMPDIR": str(folder.temporary),
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


def _memory_limit(container: Mapping[str, Any]) -> int | None:
    text = str(((container.get("resources") or {}).get("limits") or {}).get("memory") or "")
    if not text:
        return None
    match = _QUANTITY.fullmatch(text)
    try:
        if match:
            return int(Decimal(match[1]) * _UNITS[match[2]])
    except InvalidOperation:
        match = None
    raise InvalidInput(f"container {container['name']}: {text!r} is no amount of memory", field="resources.limits")
