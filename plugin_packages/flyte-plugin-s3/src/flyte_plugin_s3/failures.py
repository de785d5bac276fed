"""What boto3 raises, in the platform's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from flyte_core.errors import (
    ConfigError,
    FailedPrecondition,
    FlyteError,
    InvalidInput,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unavailable,
)

_BUSY = {"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "TooManyRequests", "Throttling", "InsufficientStorage"}
_BY_STATUS: dict[int, type[FlyteError]] = {
    400: InvalidInput,
    403: PermissionDenied,
    404: NotFound,
    412: FailedPrecondition,
    416: InvalidInput,
}


@contextlib.contextmanager
def translated(uri: str) -> Iterator[None]:
    """Translate every error that boto3 raises within.

    :param uri: what is being worked on
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, uri) from error
    except NoCredentialsError as error:
        message = "set plugins.s3.access_key_id and secret_access_key, or boto3's own"
        raise ConfigError(f"{uri}: there are no credentials for S3: {message}") from error
    except ParamValidationError as error:
        raise InvalidInput(f"{uri[:256]!r} is no object of S3: {error}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{uri}: S3 does not answer: {error}") from error


def is_missing(error: ClientError) -> bool:
    """Tell whether an answer says that there is no such object."""
    return bool(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404)


def _of_answer(error: ClientError, uri: str) -> FlyteError:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    message = f"{uri}: S3 answers {status} {code}: {error.response.get('Error', {}).get('Message', '')}"
    if code in _BUSY or status == 429:
        return Unavailable(message)
    if code == "EntityTooLarge":
        return TooLarge(message)
    if code == "NoSuchBucket":
        return NotFound(f"{uri}: there is no such bucket")
    if code == "NoSuchKey":
        return NotFound(f"{uri} does not exist")
    return _BY_STATUS.get(status, Unavailable)(message)
