"""The one tree of errors, branching by what the caller does next.

::

    FlyteError
    ├── UserError            the request or the user's code is at fault; repeating it changes nothing
    │   ├── InvalidInput         a value is malformed or does not fit; names the field
    │   ├── NotFound             the thing named does not exist
    │   ├── AlreadyExists        the thing named exists (``identical`` tells whether with the same content)
    │   ├── FailedPrecondition   the thing exists, but its state forbids this
    │   ├── PermissionDenied     the caller may not do this
    │   ├── Unimplemented        a part of the protocol that is not there
    │   └── TooLarge             a message, an object or an output is above its limit
    ├── SystemFault          infrastructure is at fault; try again later
    │   ├── Unavailable          a peer (store, database, cluster) does not answer
    │   └── Conflict             somebody else wrote in between; read again and retry
    ├── PluginError          a plugin is at fault; names the plugin
    └── ConfigError          the process is configured wrongly; names the setting

Each plane translates foreign errors into this tree at its border, and this tree into its protocol in one table
(``flyte_admin.rpc.errors`` for gRPC and HTTP).
"""

from __future__ import annotations


class FlyteError(Exception):
    """Root of all errors raised on purpose."""


class UserError(FlyteError):
    """The request or the user's code is at fault; repeating it unchanged fails again."""


class InvalidInput(UserError):
    """A value is malformed, missing or does not fit.

    :param message: what is wrong and what would be right; at most 256 bytes of the value are echoed
    :param field: dotted path of the field, as in the protobuf message (``id.project``); empty if there is none
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotFound(UserError):
    """The thing named does not exist."""


class AlreadyExists(UserError):
    """The thing named exists already.

    :param identical: True when its content equals the request's, so that the caller may go on
    """

    def __init__(self, message: str, *, identical: bool = False) -> None:
        super().__init__(message)
        self.identical = identical


class FailedPrecondition(UserError):
    """The thing exists, but its state forbids the request."""


class PermissionDenied(UserError):
    """The caller may not do this: a foreign prefix, a bad signature, a missing right."""


class Unimplemented(UserError):
    """The protocol has this, this server does not."""


class TooLarge(UserError):
    """A message, object or output is above its limit; the message names the thing, its size and the setting."""


class SystemFault(FlyteError):
    """Infrastructure is at fault; the same request may succeed later."""


class Unavailable(SystemFault):
    """A peer (object store, database, cluster, control plane) does not answer."""


class Conflict(SystemFault):
    """Compare-and-swap lost: the object changed since it was read."""


class PluginError(FlyteError):
    """A plugin is at fault.

    :param plugin: the entry-point name of the plugin
    """

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(f"plugin {plugin!r}: {message}")
        self.plugin = plugin


class ConfigError(FlyteError):
    """The process is configured wrongly; the message names the setting and a right value."""
