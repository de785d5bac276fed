"""Inputs and outputs of a container as files, on a machine without containers.

In a cluster a pod that wants them (``data_config``) has two more containers, which run ``flyte-copilot`` before and
after the task's own, and share volumes with it. Processes of one machine share no volumes and hide no paths. So here
one process of ``flyte-copilot run`` downloads, runs the task's command below itself, and uploads; and the folders of
the attempt take the place of the paths in the command, its arguments and its environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyte_core.cluster import Manifest
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder

PROGRAM = "flyte-copilot"
COMMAND_ENVIRONMENT = "FLYTE_COPILOT_COMMAND_ENVIRONMENT"
"""How ``flyte-copilot run`` is told the environment of the command, which need not have its own variables."""
PRIMARY = "primary_container_name"
"""Annotation: the container whose end decides, and which has the files."""
_INPUTS, _OUTPUTS = "--to-local-dir", "--from-local-dir"


def is_copilot(container: Mapping[str, Any]) -> bool:
    """Tell whether an init container is one of those that this cluster has a process for."""
    command = container.get("command") or [""]
    return Path(str(command[0])).name == PROGRAM


def has_copilot(pod: Manifest) -> bool:
    """Tell whether a container of the pod wants files of inputs or outputs."""
    return any(map(is_copilot, pod["spec"].get("initContainers") or ()))


@dataclass(frozen=True, slots=True)
class Copilot:
    """What wraps the command of one container.

    :ivar container: whose environment the process has
    :ivar options: of ``flyte-copilot run``
    :ivar folders: path that the task names → folder of the attempt
    """

    container: Mapping[str, Any]
    options: Mapping[str, str]
    folders: Mapping[str, Path]

    def with_folders(self, container: Mapping[str, Any]) -> dict[str, Any]:
        """Return the task's container with the folders of the attempt in place of the paths that it names."""
        found = dict(container)
        for key in ("command", "args"):
            if container.get(key):
                found[key] = [self._replaced(word) for word in container[key]]
        if container.get("env"):
            found["env"] = [
                {**each, "value": self._replaced(each["value"])} if each.get("value") else each
                for each in container["env"]
            ]
        return found

    def wrapped(self, argv: list[str]) -> list[str]:
        """Return the command that runs another one between download and upload."""
        return [PROGRAM, "run", *(word for pair in self.options.items() for word in pair), "--", *argv]

    def environment(self, command: Mapping[str, str]) -> dict[str, str]:
        """Return the variables by which the process learns of the environment of the command."""
        return {COMMAND_ENVIRONMENT: json.dumps(dict(command))}

    def _replaced(self, word: str) -> str:
        # The longer path first: one may be below the other. A path ends with a name: /var/in is not in /var/inputs.
        paths = "|".join(re.escape(path) for path in sorted(self.folders, key=len, reverse=True))
        pattern = rf"(?:(?<![\w./-])|(?<=^-[A-Za-z])|(?<=\s-[A-Za-z]))(?:{paths})(?![\w-]|\.\w)"
        return re.sub(pattern, lambda match: str(self.folders[match[0]]), word)


def copilot_of(pod: Manifest, name: str, folder: AttemptFolder) -> Copilot | None:
    """Return what wraps the command of that container; None where nothing does."""
    pilots = [each for each in pod["spec"].get("initContainers") or () if is_copilot(each)]
    primary = (pod["metadata"].get("annotations") or {}).get(PRIMARY) or pod["spec"]["containers"][0]["name"]
    if not pilots or name != primary:
        return None
    options: dict[str, str] = {}
    for pilot in pilots:
        words = list(pilot.get("args") or ())[1:]
        options.update(zip(words[::2], words[1::2], strict=False))
    folders: dict[str, Path] = {}
    for option, path in ((_INPUTS, folder.inputs), (_OUTPUTS, folder.outputs)):
        if option in options:
            folders[options[option].rstrip("/") or "/"] = path
            options[option] = str(path)
    return Copilot(pilots[0], options, folders)
