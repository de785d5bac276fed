"""Nodes of a workflow that is being put together."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flyteidl.core.literals_pb2 import RetryStrategy
from flyteidl.core.tasks_pb2 import ExtendedResources
from flyteidl.core.tasks_pb2 import Resources as ResourcesMessage
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.core.bindings import Binding
from flyte_kit.core.cache import Cache
from flyte_kit.core.constants import GLOBAL_INPUT_NODE_ID
from flyte_kit.core.promise import NodeOutput, Promise, node_of
from flyte_kit.core.resources import Resources, chosen, extended_resources
from flyte_kit.core.type_variables import T
from flyte_kit.deferred import deferred
from flyte_kit.extras.accelerators import BaseAccelerator
from flyte_kit.loggers import logger

if TYPE_CHECKING:
    import hashlib
else:
    hashlib = deferred("hashlib")

if TYPE_CHECKING:
    from flyte_kit.core.pod_template import PodTemplate

LONGEST_ID = 63
_HASH_LENGTH = 10


def dns_id(value: str) -> str:
    """Return a node id as a DNS label: upstream's rule, so that ids are the same whoever makes them.

    ``_`` and ``.`` become ``-``, a capital letter gets one before it, ids of 63 and more characters are hashed.
    """
    if len(value) >= LONGEST_ID:
        digest = hashlib.sha224(value.encode()).hexdigest()[:_HASH_LENGTH]
        value = f"{digest}-{value[-(LONGEST_ID - _HASH_LENGTH - 1) :]}"
    result = ""
    for letter in value:
        room = bool(result) and len(result) < LONGEST_ID - 1
        if letter in "_-.":
            result += "-" if room else ""
        elif letter.islower() or letter.isdigit():
            result += letter
        elif letter.isalnum():
            result += ("-" if room and result[-1] != "-" else "") + letter.lower()
    return result.removesuffix("-")


class Node:
    """One call of an entity within a workflow.

    :ivar metadata: as the wire has it; None for the start node
    :ivar bindings: sorted by input
    :ivar upstream_nodes: that it waits for
    """

    TIMEOUT_OVERRIDE_SENTINEL = object()

    def __init__(
        self,
        id: str,
        metadata: NodeMetadata | None,
        bindings: list[Binding],
        upstream_nodes: list[Node],
        flyte_entity: Any,
    ) -> None:
        self.id = dns_id(id)
        self.metadata: Any = metadata
        self.bindings = bindings
        self.upstream_nodes = upstream_nodes
        self.flyte_entity = flyte_entity
        self.aliases: dict[str, str] = {}
        self.resources: ResourcesMessage | None = None
        self.extended_resources: ExtendedResources | None = None
        self.container_image: str | None = None
        self.pod_template: PodTemplate | None = None
        self._outputs: dict[str, Promise] | None = None

    @property
    def name(self) -> str:
        """Id of the node."""
        return self.id

    @property
    def outputs(self) -> dict[str, Promise]:
        """Promises by name, of a node made by ``create_node``.

        :raises AssertionError: for any other node
        """
        if self._outputs is None:
            raise AssertionError("Cannot use outputs with all Nodes, node must've been created from create_node()")
        return self._outputs

    def set_outputs(self, outputs: dict[str, Promise]) -> None:
        """Give the node its promises."""
        self._outputs = outputs

    def __getattr__(self, name: str) -> Promise:
        outputs = self.__dict__.get("_outputs") or {}
        if name in outputs:
            return outputs[name]  # type: ignore[no-any-return]
        raise AttributeError(f"{name}: node {self.__dict__.get('id')} has outputs {list(outputs)}")

    def runs_before(self, other: Any) -> None:
        """Let another node, or what a call has returned, wait for this one."""
        after = node_of(other)
        if self not in after.upstream_nodes:
            after.upstream_nodes.append(self)

    def __rshift__(self, other: T) -> T:
        self.runs_before(other)
        return other

    def with_overrides(  # noqa: PLR0913 - the arguments of flytekit's method
        self,
        node_name: str | None = None,
        aliases: dict[str, str] | None = None,
        requests: Resources | None = None,
        limits: Resources | None = None,
        timeout: int | datetime.timedelta | object | None = TIMEOUT_OVERRIDE_SENTINEL,
        retries: int | None = None,
        interruptible: bool | None = None,
        name: str | None = None,
        task_config: Any = None,
        container_image: str | None = None,
        accelerator: BaseAccelerator | None = None,
        cache: bool | Cache | None = None,
        shared_memory: bool | str | None = None,
        pod_template: PodTemplate | None = None,
        resources: Resources | None = None,
        **kwargs: Any,
    ) -> Node:
        """Change what this call asks for, in place of what its task asks for.

        :param node_name: id of the node
        :param name: name that consoles show
        :param timeout: None for no limit
        :param task_config: of the same class as the task's own
        :param cache: with a version; the older ``cache_version`` and ``cache_serialize`` are understood too
        :raises AssertionError: if a promise is given: all of it must be known when the workflow is put together
        """
        _no_promises(locals() | kwargs)
        if node_name is not None:
            self.id = dns_id(node_name)
        if aliases is not None:
            self.aliases = dict(aliases)
        if requests is not None or limits is not None or resources is not None:
            self._ask(requests, limits, resources)
        if task_config is not None:
            self._set_task_config(task_config)
        if container_image is not None:
            self.container_image = container_image
        self.extended_resources = extended_resources(accelerator, shared_memory)
        if pod_template is not None:
            self.pod_template = pod_template
        target = getattr(self.flyte_entity, "sub_node_metadata", None) or self.metadata
        _set_metadata(target, name=name, timeout=timeout, retries=retries, interruptible=interruptible)
        _set_cache(target, cache, kwargs)
        return self

    def _ask(self, requests: Resources | None, limits: Resources | None, resources: Resources | None) -> None:
        for each in (requests, limits, resources):
            if each is not None and not isinstance(each, Resources):
                raise AssertionError(f"requests, limits and resources should be flyte_kit.Resources, not {each!r}")
        spec = chosen(requests, limits, resources)
        if limits is None and resources is None:
            logger.warning("Node %s: requests without limits are held to the task's own limits.", self.id)
        self.resources = spec.message()

    def _set_task_config(self, config: Any) -> None:
        entity = getattr(self.flyte_entity, "run_task", self.flyte_entity)
        if not isinstance(config, type(entity.task_config)):
            raise ValueError("can't change the type of the task config")  # noqa: TRY004 - as flytekit raises
        entity._task_config = config

    def __repr__(self) -> str:
        return f"Node({self.id})"


def _no_promises(arguments: Mapping[str, Any]) -> None:
    for name, value in arguments.items():
        each = list(vars(value).values()) if isinstance(value, Resources) else [value]
        if any(isinstance(part, Promise) for part in each):
            raise AssertionError(f"Cannot use a promise in the {name} override: it must be known before the run.")


def _set_metadata(metadata: NodeMetadata, **given: Any) -> None:
    timeout = given["timeout"]
    if timeout is None:
        metadata.ClearField("timeout")
    elif timeout is not Node.TIMEOUT_OVERRIDE_SENTINEL:
        metadata.timeout.FromTimedelta(as_timedelta(timeout))
    if given["retries"] is not None:
        metadata.retries.CopyFrom(RetryStrategy(retries=given["retries"]))
    if given["interruptible"] is not None:
        metadata.interruptible = given["interruptible"]
    if given["name"] is not None:
        metadata.name = given["name"]


def _set_cache(metadata: NodeMetadata, cache: bool | Cache | None, old: dict[str, Any]) -> None:
    version, serialize = old.get("cache_version"), old.get("cache_serialize")
    if cache is True and version is None:
        ignored = old.get("cache_ignore_input_vars") or ()
        cache = Cache(serialize=bool(serialize), ignored_inputs=ignored)
        serialize = None
    if isinstance(cache, Cache):
        if version is not None or serialize is not None:
            raise ValueError("cache_serialize, cache_version, and cache_ignore_input_vars are deprecated: use Cache.")
        if cache.version is None:
            raise ValueError("must specify cache version when overriding")
        version, serialize, cache = cache.version, cache.serialize, True
    if cache is not None:
        metadata.cacheable = cache
    if version is not None:
        metadata.cache_version = version
    if serialize is not None:
        metadata.cache_serializable = serialize


def as_timedelta(value: Any) -> datetime.timedelta:
    """Return a duration given as one, or as seconds.

    :raises ValueError: for anything else
    """
    if isinstance(value, datetime.timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.timedelta(seconds=value)
    raise ValueError("timeout should be duration represented as either a datetime.timedelta or int seconds")


def node_metadata(
    name: str,
    *,
    timeout: datetime.timedelta | None = None,
    retries: int | None = None,
    interruptible: bool | None = None,
) -> NodeMetadata:
    """Return a node's metadata as the wire has it."""
    result = NodeMetadata(name=name)
    if timeout is not None:
        result.timeout.FromTimedelta(timeout)
    result.retries.CopyFrom(RetryStrategy(retries=retries or 0))
    if interruptible is not None:
        result.interruptible = interruptible
    return result


GLOBAL_START_NODE = Node(GLOBAL_INPUT_NODE_ID, None, [], [], None)
"""Stands for the workflow's own inputs."""


def input_promise(name: str) -> Promise:
    """Return the promise of a workflow's input."""
    return Promise(name, NodeOutput(GLOBAL_START_NODE, name))
