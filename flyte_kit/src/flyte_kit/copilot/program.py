"""The program: ``flyte-copilot download|sidecar|run``."""

from __future__ import annotations

import base64
import binascii
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence

from flyteidl.core.errors_pb2 import ContainerError, ErrorDocument
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.tasks_pb2 import DataLoadingConfig
from google.protobuf.message import DecodeError

from flyte_core import paths
from flyte_core.errors import ConfigError, InvalidInput, PermissionDenied, SystemFault, UserError
from flyte_core.go_durations import parse_duration
from flyte_kit.copilot.command import Command, end_like
from flyte_kit.copilot.input_files import InputFiles, read_document
from flyte_kit.copilot.output_files import read_outputs
from flyte_kit.copilot.patience import PATIENCE_SECONDS, Overdue, patiently, within
from flyte_kit.entrypoints.arguments import Arguments, parse
from flyte_kit.entrypoints.execute import USAGE_ERROR
from flyte_kit.entrypoints.failure_documents import ERROR_FILE
from flyte_kit.storage.stores import store_of

COMMAND_ENVIRONMENT = "FLYTE_COPILOT_COMMAND_ENVIRONMENT"
"""A JSON object: the environment of the command of ``run``, which is not that of this program."""
DOWNLOAD_FAILED, UPLOAD_FAILED = "InputDownloadFailed", "OutputUploadFailed"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code.

    What the user can mend is written to ``error.pb``, and the exit code is 0, as upstream has it. Where the object
    store does not answer the process kills itself: Kubernetes shows it as one that was lost with its machine, and
    the task is tried again at no cost to its own retries.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if not words or words[0] not in _COMMANDS:
            raise InvalidInput(f"say what to do: {', '.join(_COMMANDS)}")
        return _COMMANDS[words[0]](parse(words[1:]))
    except (SystemFault, PermissionDenied, ConfigError, Overdue, OSError) as error:
        sys.stderr.write(f"flyte-copilot: the system failed, not the task: {error}\n")
        return end_like(-signal.SIGKILL)
    except UserError as error:
        sys.stderr.write(f"flyte-copilot: {error}\n")
        return USAGE_ERROR


def _download(arguments: Arguments) -> int:
    _has_failed(arguments, DOWNLOAD_FAILED, lambda: download(arguments))
    return 0


def _sidecar(arguments: Arguments) -> int:
    told = {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, told)
    sys.stderr.write("flyte-copilot: waiting for the end of the other containers\n")
    signal.sigwait(told)
    _take_outputs(arguments)
    return 0


def _run(arguments: Arguments) -> int:
    if not arguments.rest:
        raise InvalidInput("there is no command after --")
    environment = json.loads(os.environ.pop(COMMAND_ENVIRONMENT, "null"))
    if "from-remote" in arguments.options and _has_failed(arguments, DOWNLOAD_FAILED, lambda: download(arguments)):
        return 0
    if "from-local-dir" in arguments.options:
        os.makedirs(arguments.required("from-local-dir"), exist_ok=True)
    command = Command()
    code = command.run(arguments.rest, os.environ if environment is None else environment)
    if code != 0 or command.told_to_end:
        return end_like(code or -signal.SIGTERM)
    if "from-local-dir" in arguments.options:
        _take_outputs(arguments)
    return 0


def _take_outputs(arguments: Arguments) -> None:
    seconds = parse_duration(arguments.options.get("timeout", "1h")) / 1e9
    within(seconds, lambda: _has_failed(arguments, UPLOAD_FAILED, lambda: upload(arguments)))


_COMMANDS: dict[str, Callable[[Arguments], int]] = {"download": _download, "sidecar": _sidecar, "run": _run}


def download(arguments: Arguments) -> None:
    """Write the inputs to files.

    :raises flyte_core.errors.UserError: if an input is at fault
    :raises flyte_core.errors.SystemFault: if the store is
    """
    form = arguments.options.get("format", "JSON")
    if form not in DataLoadingConfig.LiteralMapFormat.keys():  # noqa: SIM118 - an enum of protobuf, no dict
        raise InvalidInput(f"--format: {form!r} is none of {', '.join(DataLoadingConfig.LiteralMapFormat.keys())}")
    data = read_document(arguments.required("from-remote"), _patience(arguments))
    files = InputFiles(os.path.abspath(arguments.required("to-local-dir")), _patience(arguments))
    files.write(LiteralMap.FromString(data), DataLoadingConfig.LiteralMapFormat.Value(form))


def upload(arguments: Arguments) -> None:
    """Upload the outputs, and write ``outputs.pb`` last.

    :raises flyte_core.errors.UserError: if an output is at fault
    :raises flyte_core.errors.SystemFault: if the store is
    """
    try:
        interface = TypedInterface.FromString(base64.b64decode(arguments.required("interface"), validate=True))
    except (binascii.Error, DecodeError) as error:
        raise InvalidInput("--interface: this is no TypedInterface in base64") from error
    patience = _patience(arguments)
    folder, raw = arguments.required("from-local-dir"), arguments.required("to-raw-output")
    outputs = read_outputs(interface.outputs, folder, raw, patience)
    uri = paths.join(arguments.required("to-output-prefix"), paths.OUTPUTS)
    patiently(lambda: store_of(uri).write(uri, outputs.SerializeToString(deterministic=True)), patience)


def _has_failed(arguments: Arguments, code: str, work: Callable[[], None]) -> bool:
    """Do the work; tell the engine of a failure that is the user's."""
    try:
        work()
    except PermissionDenied:
        raise  # the keys are not the user's
    except UserError as error:
        sys.stderr.write(f"flyte-copilot: {error}\n")
        failure = ContainerError(
            code=code, message=str(error), kind=ContainerError.RECOVERABLE, origin=ExecutionError.USER
        )
        uri = paths.join(arguments.required("to-output-prefix"), ERROR_FILE)
        document = ErrorDocument(error=failure).SerializeToString()
        patiently(lambda: store_of(uri).write(uri, document), _patience(arguments))
        return True
    return False


def _patience(arguments: Arguments) -> float:
    return float(arguments.options.get("patience", PATIENCE_SECONDS))
