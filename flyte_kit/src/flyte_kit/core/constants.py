"""Names that stand on the wire or in a container's environment."""

from __future__ import annotations

GLOBAL_INPUT_NODE_ID = ""
"""Id by which bindings refer to the workflow's own inputs; compilers make ``start-node`` of it."""
DEFAULT_FAILURE_NODE_ID = "efn"
MESSAGEPACK = "msgpack"
CACHE_KEY_METADATA = "cache-key-metadata"
SERIALIZATION_FORMAT = "serialization-format"
FLYTE_USE_OLD_DC_FORMAT = "FLYTE_USE_OLD_DC_FORMAT"
SERIALIZED_CONTEXT_ENV_VAR = "_F_SS_C"
RUNTIME_PACKAGES_ENV_NAME = "_F_RUNTIME_PACKAGES"
ARRAY_NODE_SUBNODE_NAME = "array_node_subnode"
EAGER_TAG_KEY = "eager-exec"
EAGER_TAG_ROOT_KEY = "eager-root-exec"
EAGER_ROOT_ENV_NAME = "_F_EE_ROOT"
EMPTY_FAILURE_NODE_PREFIX = "f"

WIRE_VERSION = "1.16.31"
"""Release of flytekit whose wire format this SDK follows: engines compare a task's runtime version with the first
release that had a feature (offloaded literals)."""

OWN_PREFIX = "flyte_kit."
WIRE_PREFIX = "flytekit."


def wire_name(location: str) -> str:
    """Return the name that a module or object of this SDK has on the wire: flytekit's name of the same thing."""
    if location.startswith(OWN_PREFIX):
        return WIRE_PREFIX + location.removeprefix(OWN_PREFIX)
    return location


def own_name(location: str) -> str:
    """Return where this SDK has what the wire names; names of users' own modules come back as they are."""
    if location.startswith(WIRE_PREFIX):
        return OWN_PREFIX + location.removeprefix(WIRE_PREFIX)
    return location
