"""Under which key a task's result lies in the catalog. Equal to upstream's, so that both find each other's results."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass

from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.interface_pb2 import VariableMap
from flyteidl.core.literals_pb2 import Literal, LiteralCollection, LiteralMap
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.datacatalog.datacatalog_pb2 import DatasetID

from flyte_core.errors import InvalidInput
from flyte_core.object_hash import hash_message

INTERFACE_HASH = 8
"""Characters that an interface's hash has in a dataset's version."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """A task with inputs.

    :ivar dataset: all results of the task with this cache version and interface
    :ivar tag: the one for these inputs
    :ivar outputs: the variables that a result has
    """

    task: Identifier
    dataset: DatasetID
    tag: str
    outputs: VariableMap


def cache_key(task: TaskTemplate, inputs: LiteralMap) -> CacheKey:
    """Return the key.

    :raises flyte_core.errors.InvalidInput: if the task has no cache version, or an input cannot be hashed
    """
    version = task.metadata.discovery_version.strip(" ")
    if not version:
        raise InvalidInput(f"task {task.id.name} has an empty cache version", field="metadata.discovery_version")
    try:
        signature = f"{_interface_hash(task.interface.inputs)}-{_interface_hash(task.interface.outputs)}"
        tag = f"flyte_cached-{_text(hash_message(_hashed(inputs, task.metadata.cache_ignore_input_vars)))}"
    except ValueError as error:
        raise InvalidInput(f"inputs of task {task.id.name} cannot be hashed: {error}") from error
    dataset = DatasetID(
        project=task.id.project,
        domain=task.id.domain,
        name=f"flyte_task-{task.id.name}",
        version=f"{version}-{signature}",
    )
    return CacheKey(task.id, dataset, tag, task.interface.outputs)


def _interface_hash(variables: VariableMap) -> str:
    return _text(hash_message(variables))[:INTERFACE_HASH]


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _hashed(inputs: LiteralMap, ignored: Collection[str]) -> LiteralMap:
    """Return the inputs that count; a literal that brings a hash of its own counts by it, whatever its value."""
    kept = {name: _by_hash(literal) for name, literal in inputs.literals.items() if name not in ignored}
    return LiteralMap(literals=kept)


def _by_hash(literal: Literal) -> Literal:
    if literal.hash:
        return Literal(hash=literal.hash)
    match literal.WhichOneof("value"):
        case "collection":
            return Literal(collection=LiteralCollection(literals=map(_by_hash, literal.collection.literals)))
        case "map":
            entries = {key: _by_hash(entry) for key, entry in literal.map.literals.items()}
            return Literal(map=LiteralMap(literals=entries))
        case _:
            return literal
