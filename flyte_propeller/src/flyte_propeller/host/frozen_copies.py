"""Copies for plugins: what they do to what they get changes nothing here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from flyteidl.core.identifier_pb2 import TaskExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.security_pb2 import SecurityContext
from flyteidl.core.tasks_pb2 import TaskTemplate
from google.protobuf.message import Message

from flyte_core.cluster import Manifest
from flyte_core.task_types import TaskContext

M = TypeVar("M", bound=Message)


def copy_context(ctx: TaskContext, now: datetime, *, inputs: bool) -> TaskContext:
    """Return the context with its own messages and mappings.

    :param inputs: keep the inputs, which may be megabytes
    """
    return replace(
        ctx,
        id=_message(TaskExecutionIdentifier(), ctx.id),
        template=_message(TaskTemplate(), ctx.template),
        security=_message(SecurityContext(), ctx.security),
        inputs=_message(LiteralMap(), ctx.inputs) if inputs else LiteralMap(),
        owner=dict(ctx.owner),
        labels=dict(ctx.labels),
        annotations=dict(ctx.annotations),
        env=dict(ctx.env),
        overrides=copy_json(ctx.overrides),
        pod_template=copy_json(ctx.pod_template),
        config=copy_json(ctx.config),
        now=now,
    )


def _message(fresh: M, source: M) -> M:
    fresh.CopyFrom(source)
    return fresh


def copy_manifest(manifest: Manifest) -> dict[str, Any]:
    """Return the object with its own mappings and lists."""
    copied: dict[str, Any] = copy_json(manifest)
    return copied


def copy_json(value: Any) -> Any:
    """Return a JSON value that shares nothing changeable with the given one."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        return {key: copy_json(item) for key, item in value.items()}
    if kind is list:
        return [copy_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: copy_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [copy_json(item) for item in value]
    return value
