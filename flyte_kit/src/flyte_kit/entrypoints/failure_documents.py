"""How a failure is told to the engine: ``error.pb``."""

from __future__ import annotations

import os
import textwrap
import time
import traceback
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from flyteidl.core.errors_pb2 import ContainerError, ErrorDocument
from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core.errors import UserError
from flyte_kit.exceptions.system import FlyteNonRecoverableSystemException
from flyte_kit.exceptions.user import FlyteRecoverableException, FlyteUserException, FlyteUserRuntimeException

ERROR_FILE = "error.pb"
SDK = str(Path(__file__).parents[1])
LONGEST_TRACE = 100_000
"""Characters of a traceback that are kept: its end says most."""


def distributed(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether several workers may fail, each with a document of its own."""
    return bool(environment.get("FLYTE_INTERNAL_DIST_ERROR_STRATEGY") or environment.get("_F_DES"))


def error_file_name(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name of the document."""
    return f"error-{uuid.uuid4().hex}.pb" if distributed(environment) else ERROR_FILE


def failure_document(error: BaseException, environment: Mapping[str, str] = os.environ) -> ErrorDocument:
    """Return what the engine is told of an error: whose fault it is, whether to try again, and where it happened."""
    worker = environment.get("FLYTE_INTERNAL_WORKER_NAME") or environment.get("_F_WN") or ""
    if isinstance(error, FlyteUserRuntimeException):
        cause: BaseException = error.value
        code = cause.error_code if isinstance(cause, FlyteUserException) else error.error_code
        recoverable, origin = isinstance(cause, FlyteRecoverableException), ExecutionError.USER
    elif isinstance(error, FlyteNonRecoverableSystemException):
        cause, code = error.__cause__ or error, "SYSTEM"
        recoverable, origin = False, ExecutionError.SYSTEM
    elif isinstance(error, UserError):
        cause, code, recoverable, origin = error, "USER:BadInput", False, ExecutionError.USER
    else:
        cause, code, recoverable, origin = error, "SYSTEM", True, ExecutionError.SYSTEM
    document = ErrorDocument(
        error=ContainerError(
            code=code,
            message=described(cause),
            kind=ContainerError.RECOVERABLE if recoverable else ContainerError.NON_RECOVERABLE,
            origin=origin,
            worker=worker if distributed(environment) else "",
        )
    )
    moment = error.timestamp if isinstance(error, FlyteUserRuntimeException) else time.time()
    document.error.timestamp.FromNanoseconds(int(moment * 1e9))
    return document


def described(error: BaseException) -> str:
    """Return traceback and message, as flytekit lays them out."""
    trace = "".join(traceback.format_exception(type(error), error, _own_frames(error)))[-LONGEST_TRACE:]
    message = f"{type(error).__name__}: {error}"
    return f"Trace:\n\n{textwrap.indent(trace, '    ')}\nMessage:\n\n{textwrap.indent(message, '    ')}"


def _own_frames(error: BaseException) -> TracebackType | None:
    """Return the traceback from the first frame that is not the SDK's; all of it, if there is no such frame."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(SDK):
        frame = frame.tb_next
    return frame or error.__traceback__
