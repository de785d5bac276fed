"""Errors that are the user's to mend. All are :class:`flyte_core.errors.UserError`, named as in flytekit.

Some are a built-in error as well (``FlyteAssertion`` is an ``AssertionError``), because code that was written for
flytekit catches those.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from flyte_core.errors import UserError


class FlyteUserException(UserError):
    """Root of the user's errors.

    :cvar error_code: what an engine shows as the error's code
    """

    error_code: ClassVar[str] = "USER:Unknown"


class FlyteUserRuntimeException(FlyteUserException):
    """The code of a task failed.

    :param value: what it raised
    :param timestamp: seconds since 1970 at which it did
    """

    error_code = "USER:RuntimeError"

    def __init__(self, value: BaseException, timestamp: float | None = None) -> None:
        super().__init__(str(value))
        self.value = value
        self.timestamp = timestamp if timestamp is not None else datetime.now(UTC).timestamp()


class FlyteRecoverableException(FlyteUserException):
    """Raised by a task that wants to be tried again, within its ``retries``."""

    error_code = "USER:Recoverable"


class FlyteTypeException(FlyteUserException, TypeError):
    """A value has the wrong type."""

    error_code = "USER:TypeError"


class FlyteMissingTypeException(FlyteUserException, TypeError):
    """A parameter of a task or workflow has no annotation."""

    error_code = "USER:MissingTypeException"

    def __init__(self, fn: Callable[..., Any], param_name: str) -> None:
        super().__init__(
            f"'{param_name}' of {fn.__qualname__} has no type annotation. Add one, or pass pickle_untyped=True to "
            "send it as a pickle."
        )


class FlyteMissingReturnValueException(FlyteUserException, TypeError):
    """A function that says it returns something returns nothing."""

    error_code = "USER:MissingReturnValueException"

    def __init__(self, fn: Callable[..., Any]) -> None:
        super().__init__(f"{fn.__qualname__} has a return annotation but no return statement with a value.")


class FlyteValueException(FlyteUserException, ValueError):
    """A value is not acceptable.

    :param received: the value
    :param message: why not
    """

    error_code = "USER:ValueError"

    def __init__(self, received: object, message: str) -> None:
        super().__init__(f"{message} Received: {received!r}")


class FlyteAssertion(FlyteUserException, AssertionError):
    """Something about a workflow cannot be as it is written."""

    error_code = "USER:AssertionError"


class FlyteValidationException(FlyteAssertion):
    """A task or workflow is not valid."""

    error_code = "USER:ValidationError"


class FlyteFailureNodeInputMismatchException(FlyteUserException, AssertionError):
    """A failure handler does not take the inputs of its workflow."""

    error_code = "USER:FailureNodeInputMismatch"

    def __init__(self, failure_entity: Any, workflow: Any) -> None:
        super().__init__(
            f"Workflow {workflow.name} takes {list(workflow.python_interface.inputs)}, its failure handler "
            f"{failure_entity.name} takes {list(failure_entity.python_interface.inputs)}. The handler must take every "
            "input of the workflow with the same type; further ones must be Optional."
        )


class FlytePromiseAttributeResolveException(FlyteAssertion):
    """A path such as ``x.a["k"][0]`` leads nowhere in the value."""

    error_code = "USER:PromiseAttributeResolveError"


class FlyteDisapprovalException(FlyteAssertion):
    """Somebody said no at an approval gate."""

    error_code = "USER:Disapproval"


class FlyteDataNotFoundException(FlyteValueException):
    """There is no object at a path."""

    error_code = "USER:DataNotFound"

    def __init__(self, path: str) -> None:
        super().__init__(path, "File not found.")


class FlyteEntityAlreadyExistsException(FlyteAssertion):
    """A task, workflow, launch plan or execution of that id is registered already."""

    error_code = "USER:EntityAlreadyExists"


class FlyteEntityNotExistException(FlyteAssertion):
    """Nothing of that id is registered."""

    error_code = "USER:EntityNotExist"


class FlyteEntityNotFoundException(FlyteAssertion):
    """A module has no entity of that name.

    :param module_name: where it was looked for
    :param entity_name: what was looked for
    """

    error_code = "USER:EntityNotFound"

    def __init__(self, module_name: str, entity_name: str) -> None:
        super().__init__(f"Module {module_name} has no task, workflow or launch plan named {entity_name}.")


class FlyteTimeout(FlyteAssertion):
    """What was waited for did not happen in time."""

    error_code = "USER:Timeout"


class FlyteInvalidInputException(FlyteUserException):
    """The control plane refused a request because of what is in it."""

    error_code = "USER:BadInputToAPI"


class FlyteAuthenticationException(FlyteAssertion):
    """The control plane does not know the caller."""

    error_code = "USER:AuthenticationError"
