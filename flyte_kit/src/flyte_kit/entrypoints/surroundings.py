"""The context of a task in a container, from its arguments and environment variables."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime

from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier

from flyte_kit.configuration.images import ImageConfig, default_image_tag
from flyte_kit.configuration.serialization import FastSerializationSettings, SerializationSettings
from flyte_kit.core.checkpointer import Checkpoint, given_path
from flyte_kit.core.constants import SERIALIZED_CONTEXT_ENV_VAR
from flyte_kit.core.context_manager import ExecutionMode, ExecutionParameters, ExecutionState, FlyteContext
from flyte_kit.core.data_persistence import FileAccessProvider
from flyte_kit.entrypoints.arguments import Arguments

_EXECUTION = {"project": "_F_PRJ", "domain": "_F_DM", "id": "_F_NM"}
_TASK = {"project": "_F_TK_PRJ", "domain": "_F_TK_DM", "name": "_F_TK_NM", "version": "_F_TK_V"}


def _variable(environment: Mapping[str, str], kind: str, part: str, older: str) -> str:
    return environment.get(f"FLYTE_INTERNAL_{kind}_{part.upper()}") or environment.get(older) or ""


def execution_id(environment: Mapping[str, str]) -> WorkflowExecutionIdentifier:
    """Return the id of the execution that this task is part of."""
    parts = {part: _variable(environment, "EXECUTION", part, older) for part, older in _EXECUTION.items()}
    return WorkflowExecutionIdentifier(project=parts["project"], domain=parts["domain"], name=parts["id"])


def task_id(environment: Mapping[str, str]) -> Identifier:
    """Return the id of the task."""
    parts = {part: _variable(environment, "TASK", part, older) for part, older in _TASK.items()}
    return Identifier(resource_type=ResourceType.TASK, **parts)


def task_context(arguments: Arguments, environment: Mapping[str, str] = os.environ) -> FlyteContext:
    """Return the context in which a task runs."""
    folder = tempfile.mkdtemp(prefix="flyte-")
    sandbox = os.path.join(folder, "local_flytekit")
    raw_prefix = arguments.options.get("raw-output-data-prefix") or os.path.join(folder, "raw")
    files = FileAccessProvider(sandbox, raw_prefix, execution_metadata=_metadata(environment))
    execution = execution_id(environment)
    parameters = ExecutionParameters(
        execution_date=datetime.now(UTC),
        tmp_dir=os.path.join(folder, "work"),
        execution_id=execution,
        task_id=task_id(environment),
        raw_output_prefix=files.raw_output_prefix,
        output_metadata_prefix=arguments.options.get("output-prefix"),
        given_checkpoint=_checkpoint(arguments, files),
    )
    os.makedirs(parameters.tmp_dir, exist_ok=True)
    state = ExecutionState(
        working_dir=parameters.tmp_dir,
        mode=ExecutionMode.TASK_EXECUTION,
        engine_dir=os.path.join(folder, "engine"),
        user_space_params=parameters,
    )
    settings = _settings(arguments, environment, execution)
    return FlyteContext(files, execution_state=state, serialization_settings=settings)


def _checkpoint(arguments: Arguments, files: FileAccessProvider) -> Checkpoint | None:
    place = given_path(arguments.options.get("checkpoint-path"))
    if place is None:
        return None
    return Checkpoint(place, given_path(arguments.options.get("prev-checkpoint")), files)


def _metadata(environment: Mapping[str, str]) -> dict[str, str]:
    prefix = "FLYTE_INTERNAL_EXECUTION_"
    return {
        "flyte-execution-" + name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }


def _as_registered(fast: FastSerializationSettings, registered: SerializationSettings) -> FastSerializationSettings:
    """Return the settings of the code with the folder that was registered, not the one that this attempt has got.

    What is registered from here under this version must be what its users register.
    """
    before = registered.fast_serialization_settings
    if before is None or before.distribution_location != fast.distribution_location:
        return fast
    return dataclasses.replace(fast, destination_dir=before.destination_dir)


def _settings(
    arguments: Arguments, environment: Mapping[str, str], execution: WorkflowExecutionIdentifier
) -> SerializationSettings:
    """Return what a dynamic or eager task serializes with: as it was registered, with the code that runs now."""
    location = arguments.options.get("dynamic-addl-distro")
    fast = FastSerializationSettings(
        enabled=location is not None,
        destination_dir=arguments.options.get("dynamic-dest-dir"),
        distribution_location=location,
    )
    carried = environment.get(SERIALIZED_CONTEXT_ENV_VAR)
    if carried:
        registered = SerializationSettings.from_transport(carried)
        return dataclasses.replace(registered, fast_serialization_settings=_as_registered(fast, registered))
    version = _variable(environment, "TASK", "version", _TASK["version"])
    return SerializationSettings(
        image_config=ImageConfig.from_images(default_image_tag()),
        project=execution.project,
        domain=execution.domain,
        version=version,
        fast_serialization_settings=fast,
    )
