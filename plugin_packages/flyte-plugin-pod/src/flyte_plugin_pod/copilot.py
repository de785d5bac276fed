"""Files of inputs and outputs for images that know nothing of Flyte (``data_config``), as upstream's copilot has it.

An init container downloads the inputs into a volume, a sidecar uploads what is in another one once the task's
container has ended. Both have the options of upstream's program.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.tasks_pb2 import DataLoadingConfig

from flyte_core.errors import InvalidInput
from flyte_core.go_durations import duration_text
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.copilot_config import CopilotConfig

PROGRAM = "flyte-copilot"


def with_copilot(
    spec: Mapping[str, Any], ctx: TaskContext, data: DataLoadingConfig, primary: str, config: CopilotConfig
) -> dict[str, Any]:
    """Return the pod with what brings inputs to the primary container and takes its outputs.

    :raises flyte_core.errors.InvalidInput: naming an output that no file can hold
    """
    built = dict(spec)
    interface = ctx.template.interface
    if not data.enabled or not (interface.inputs.variables or interface.outputs.variables):
        return built
    mounts: list[dict[str, str]] = []
    before: list[dict[str, Any]] = []
    if interface.outputs.variables:
        _check(interface)
        mount = _mount(config.output_vol_name, data.output_path or config.default_output_path)
        uploader = _container("uploader", _sidecar_options(ctx, mount["mountPath"], config), mount, config)
        # A sidecar of Kubernetes: started first, told to end last.
        before.append({**uploader, "restartPolicy": "Always"})
        mounts.append(mount)
        built.setdefault("terminationGracePeriodSeconds", int(config.timeout))
    if interface.inputs.variables:
        mount = _mount(config.input_vol_name, data.input_path or config.default_input_path)
        before.append(_container("downloader", _download_options(ctx, mount["mountPath"], data), mount, config))
        mounts.append(mount)
    built["initContainers"] = [*before, *(spec.get("initContainers") or ())]
    volumes = [{"name": mount["name"], "emptyDir": {}} for mount in mounts]
    built["volumes"] = [*(spec.get("volumes") or ()), *volumes]
    built["containers"] = [
        {**item, "volumeMounts": [*(item.get("volumeMounts") or ()), *mounts]} if item["name"] == primary else item
        for item in spec["containers"]
    ]
    return built


def _check(interface: TypedInterface) -> None:
    for name, variable in interface.outputs.variables.items():
        kind = variable.type.WhichOneof("type")
        if kind not in {"simple", "blob"}:
            raise InvalidInput(
                f"output {name!r} is a {(kind or 'value').removesuffix('_type')}: outputs of a container are read from "
                "files, which hold a primitive, a JSON object, a file or a folder",
                field=f"interface.outputs.{name}",
            )


def _mount(volume: str, path: str) -> dict[str, str]:
    return {"name": volume, "mountPath": path}


def _container(name: str, options: list[str], mount: dict[str, str], config: CopilotConfig) -> dict[str, Any]:
    resources = {"cpu": config.cpu, "memory": config.memory}
    return {
        "name": f"{config.name_prefix}{name}",
        "image": config.image,
        "command": [PROGRAM],
        "args": options,
        "resources": {"requests": resources, "limits": dict(resources)},
        "volumeMounts": [mount],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _download_options(ctx: TaskContext, folder: str, data: DataLoadingConfig) -> list[str]:
    options = {
        "--from-remote": ctx.paths.inputs,
        "--to-output-prefix": ctx.paths.output_prefix,
        "--to-local-dir": folder,
        "--format": DataLoadingConfig.LiteralMapFormat.Name(data.format),
        "--input-interface": _base64(ctx.template.interface.inputs.SerializeToString(deterministic=True)),
    }
    return ["download", *(word for pair in options.items() for word in pair)]


def _sidecar_options(ctx: TaskContext, folder: str, config: CopilotConfig) -> list[str]:
    options = {
        "--timeout": duration_text(int(config.timeout * 1e9)),
        "--to-raw-output": ctx.paths.raw_output_prefix,
        "--to-output-prefix": ctx.paths.output_prefix,
        "--from-local-dir": folder,
        "--interface": _base64(ctx.template.interface.SerializeToString(deterministic=True)),
    }
    return ["sidecar", *(word for pair in options.items() for word in pair)]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
