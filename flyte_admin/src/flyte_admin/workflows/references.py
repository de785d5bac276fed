"""What a workflow refers to: the tasks and launch plans that must be registered before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure
from flyteidl.admin.task_pb2 import TaskClosure
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledTask
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from sqlalchemy import ColumnElement, Connection, Table, select, tuple_

from flyte_admin.db.schema import launch_plans, tasks
from flyte_admin.registry.rows import KEY, row_identifier
from flyte_core.compiler import LaunchPlanInterface, launch_plan_interface, nodes_of

_CHUNK = 200
"""Identifiers in one query: four parameters each, below SQLite's bound."""

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class References:
    """What is registered of the things that a workflow refers to; what is not there is for the compiler to report."""

    tasks: tuple[CompiledTask, ...]
    launch_plans: tuple[LaunchPlanInterface, ...]


def read_references(connection: Connection, spec: WorkflowSpec) -> References:
    """Return the registered tasks and launch plans that the workflow's nodes name."""
    wanted_tasks: dict[Key, None] = {}
    wanted_plans: dict[Key, None] = {}
    for node in nodes_of(spec):
        if node.HasField("task_node"):
            wanted_tasks[_key(node.task_node.reference_id)] = None
        elif node.HasField("workflow_node") and node.workflow_node.HasField("launchplan_ref"):
            wanted_plans[_key(node.workflow_node.launchplan_ref)] = None
    return References(tuple(_tasks(connection, wanted_tasks)), tuple(_plans(connection, wanted_plans)))


def _tasks(connection: Connection, keys: Iterable[Key]) -> Iterator[CompiledTask]:
    for chunk in _chunks(keys):
        statement = select(tasks.c.closure).where(_among(tasks, chunk))
        for closure in connection.execute(statement).scalars():
            yield TaskClosure.FromString(closure).compiled_task


def _plans(connection: Connection, keys: Iterable[Key]) -> Iterator[LaunchPlanInterface]:
    table = launch_plans
    for chunk in _chunks(keys):
        statement = select(table).where(_among(table, chunk))
        for row in connection.execute(statement):
            closure = LaunchPlanClosure.FromString(row.closure)
            yield launch_plan_interface(row_identifier(row, ResourceType.LAUNCH_PLAN), closure)


def _among(table: Table, keys: list[Key]) -> ColumnElement[bool]:
    return tuple_(*(table.c[part] for part in KEY)).in_(keys)


def _chunks(keys: Iterable[Key]) -> Iterator[list[Key]]:
    every = list(keys)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]


def _key(identifier: Identifier) -> Key:
    return (identifier.project, identifier.domain, identifier.name, identifier.version)
