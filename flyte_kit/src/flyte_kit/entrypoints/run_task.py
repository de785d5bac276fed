"""Runs one task: inputs from the store, outputs or an error to the store."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.literals_pb2 import Literal, LiteralMap

from flyte_core.errors import TooLarge
from flyte_kit.core.base_task import IgnoreOutputs
from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager
from flyte_kit.core.promise import VoidPromise
from flyte_kit.deck.deck import output_deck
from flyte_kit.entrypoints.failure_documents import described, error_file_name, failure_document
from flyte_kit.exceptions.user import FlyteUserRuntimeException
from flyte_kit.loggers import logger
from flyte_kit.storage.stores import store_of

OUTPUTS, FUTURES = "outputs.pb", "futures.pb"
MEGABYTE = 1024 * 1024
Files = dict[str, Any]


def run_task(
    ctx: FlyteContext, load: Callable[[], Any], inputs: str, output_prefix: str, *, mapped: bool = False
) -> int:
    """Run a task and write what came of it; return the exit code.

    The code is 0 even when the task failed: the engine reads ``error.pb``. ``FLYTE_FAIL_ON_ERROR=true`` makes it 1.

    :param load: finds the task
    :param mapped: whether this is one element of a mapping
    """
    files: Files
    task: Any = None
    try:
        task = _loaded(load)
        with FlyteContextManager.with_context(ctx):
            outputs = task.dispatch_execute(ctx, LiteralMap.FromString(store_of(inputs).read(inputs)))
            files = _output_files(outputs, task, output_prefix, mapped=mapped)
    except FlyteUserRuntimeException as error:
        if isinstance(error.value, IgnoreOutputs):
            logger.warning("The task says that its outputs are not wanted: %s", error.value)
            return 0
        files = _failure(error)
    except Exception as error:  # noqa: BLE001 - the border to the engine: every failure becomes a document
        files = _failure(error)
    failed = not ({OUTPUTS, FUTURES} & files.keys())
    _write(files, output_prefix)
    _write_deck(ctx, task)
    fails_loudly = os.environ.get("FLYTE_FAIL_ON_ERROR", "").lower() in {"1", "true", "yes"}
    return 1 if failed and fails_loudly else 0


def _loaded(load: Callable[[], Any]) -> Any:
    try:
        return load()
    except Exception as error:
        raise FlyteUserRuntimeException(error) from error


def _failure(error: Exception) -> Files:
    cause = error.value if isinstance(error, FlyteUserRuntimeException) else error
    sys.stderr.write(described(cause) + "\n")
    return {error_file_name(): failure_document(error)}


def _output_files(outputs: Any, task: Any, prefix: str, *, mapped: bool) -> Files:
    if outputs is None or isinstance(outputs, VoidPromise):
        return {OUTPUTS: LiteralMap()}
    if isinstance(outputs, DynamicJobSpec):
        return {FUTURES: outputs}
    if isinstance(outputs, LiteralMap):
        return offloaded(outputs, task, prefix, mapped=mapped)
    raise TypeError(f"Type of output received not handled {type(outputs)} outputs: {outputs}")


def offloaded(
    outputs: LiteralMap, task: Any, prefix: str, *, mapped: bool, environment: Mapping[str, str] = os.environ
) -> Files:
    """Return the files of the outputs; large literals have files of their own, where the engine asks for that.

    ``_F_L_MIN_SIZE_MB`` is the size from which they do, ``_F_L_MAX_SIZE_MB`` the size from which they are refused.

    :raises TooLarge: naming the output
    """
    if "_F_L_MIN_SIZE_MB" not in environment:
        return {OUTPUTS: outputs}
    least = int(environment["_F_L_MIN_SIZE_MB"]) * MEGABYTE
    most = int(environment.get("_F_L_MAX_SIZE_MB", "1000")) * MEGABYTE
    files: Files = {OUTPUTS: LiteralMap()}
    for name in outputs.literals:
        literal, size = outputs.literals[name], outputs.literals[name].ByteSize()
        if size >= most:
            raise TooLarge(f"output {name} has {size} bytes; {most} are the limit (_F_L_MAX_SIZE_MB)")
        if size >= least:
            file = f"{name}_offloaded_metadata.pb"
            files[file] = literal
            files[OUTPUTS].literals[name].CopyFrom(_reference(literal, task, name, f"{prefix}/{file}", mapped=mapped))
        else:
            files[OUTPUTS].literals[name].CopyFrom(literal)
    return files


def _reference(literal: Literal, task: Any, name: str, uri: str, *, mapped: bool) -> Literal:
    inferred = task.interface.outputs.variables[name].type
    result = Literal(hash=literal.hash or _digest(literal))
    result.offloaded_metadata.uri = uri
    result.offloaded_metadata.size_bytes = literal.ByteSize()
    result.offloaded_metadata.inferred_type.CopyFrom(inferred.collection_type if mapped else inferred)
    return result


def _digest(literal: Literal) -> str:
    return base64.b64encode(hashlib.sha256(literal.SerializeToString(deterministic=True)).digest()).decode()


def _write(files: Files, prefix: str) -> None:
    store = store_of(prefix)
    # What the outputs refer to is written before they are.
    for name in sorted(files, key=lambda each: each in {OUTPUTS, FUTURES}):
        store.write(f"{prefix.rstrip('/')}/{name}", files[name].SerializeToString())


def _write_deck(ctx: FlyteContext, task: Any) -> None:
    parameters = ctx.user_space_params
    if parameters is not None and task is not None and getattr(task, "enable_deck", False):
        with FlyteContextManager.with_context(ctx):
            output_deck(ctx, task.name, parameters)
