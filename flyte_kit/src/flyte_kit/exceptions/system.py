"""Errors of the infrastructure; the same thing may work later. Named as in flytekit."""

from __future__ import annotations

from typing import ClassVar

from flyte_core.errors import SystemFault


class FlyteSystemException(SystemFault):
    """Root of the infrastructure's errors.

    :cvar error_code: what an engine shows as the error's code
    """

    error_code: ClassVar[str] = "SYSTEM:Unknown"


class FlyteNonRecoverableSystemException(FlyteSystemException):
    """Trying again changes nothing, though no user is at fault."""

    error_code = "USER:NonRecoverableSystemError"


class FlyteSystemUnavailableException(FlyteSystemException):
    """The control plane does not answer."""

    error_code = "SYSTEM:Unavailable"


class FlyteEntrypointNotLoadable(FlyteSystemException):
    """The container's entrypoint cannot load the task that it was told to run."""

    error_code = "SYSTEM:UnloadableCode"


class FlyteSystemAssertion(FlyteSystemException, AssertionError):
    """Something that must hold does not."""

    error_code = "SYSTEM:AssertionError"


class FlyteUploadDataException(FlyteSystemException):
    """Writing to the object store failed."""

    error_code = "SYSTEM:UploadError"


class FlyteDownloadDataException(FlyteSystemException):
    """Reading from the object store failed."""

    error_code = "SYSTEM:DownloadError"
