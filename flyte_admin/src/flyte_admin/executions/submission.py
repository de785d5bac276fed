"""The transaction that makes an execution: its row, its tags, and the order to dispatch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionCreateRequest, ExecutionSpec
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Connection, func, insert, select

from flyte_admin.db.schema import execution_tags, executions, launch_plans, node_executions, workflow_outbox
from flyte_admin.executions.durations import set_duration
from flyte_admin.executions.identify import execution_condition, missing_execution, missing_node, node_condition
from flyte_admin.executions.keys import ExecutionKey, by_scope
from flyte_admin.executions.launch import Launch, ParentExecution, initial_closure
from flyte_admin.executions.phases import TERMINAL_NODE_NAMES, TERMINAL_PHASE_NAMES
from flyte_admin.executions.sources import LaunchSource
from flyte_admin.executions.statements import READ_EXECUTION_NAMES
from flyte_core.errors import AlreadyExists, FailedPrecondition

CREATE, TERMINATE = "CREATE", "TERMINATE"
"""Actions in the outbox of workflows."""

_INSERT_EXECUTION = insert(executions)
_INSERT_TAG = insert(execution_tags)
_INSERT_OUTBOX = insert(workflow_outbox)


class LimitReached(AlreadyExists):
    """The launch plan's concurrency limit is reached; upstream answers as if the execution existed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The rows of an execution's parent.

    :ivar parent: what the child takes over from it
    """

    execution_id: int
    node_id: int
    parent: ParentExecution


@dataclass(frozen=True, slots=True)
class Submission:
    """A launch, and where its inputs were stored.

    :ivar inputs_uri: empty when there are no inputs
    """

    launch: Launch
    source: LaunchSource
    inputs_uri: str
    user_inputs_uri: str
    origin: Origin | None
    now: datetime


def submit_all(connection: Connection, submissions: Sequence[Submission]) -> list[AlreadyExists | None]:
    """Insert rows, tags and orders of all that are not refused, and return one refusal or None each; the caller's
    transaction makes it one.

    :raises AlreadyExists: if another transaction took a name at the same moment; then nothing was inserted
    """
    pending = _Pending(connection)
    taken = _taken_names(connection, submissions)
    refusals: list[AlreadyExists | None] = []
    for submission in submissions:
        key = ExecutionKey.of(submission.launch.id)
        refusal: AlreadyExists | None = None
        if key in taken:
            refusal = already_exists(submission.launch.id)
        elif submission.source.spec.concurrency_policy.max:
            pending.flush()
            refusal = _limit_reached(connection, submission)
        if refusal is None:
            taken.add(key)
            pending.add(submission)
        refusals.append(refusal)
    pending.flush()
    return refusals


class _Pending:
    """Rows that wait to be inserted together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._executions: list[dict[str, Any]] = []
        self._tags: list[dict[str, Any]] = []
        self._orders: list[dict[str, Any]] = []

    def add(self, submission: Submission) -> None:
        launch = submission.launch
        self._executions.append(_execution_values(submission))
        common = {
            **ExecutionKey.of(launch.id).columns,
            "created_at": submission.now,
            "updated_at": submission.now,
        }
        tags = {(tag, "") for tag in launch.spec.tags} | set(launch.spec.labels.values.items())
        self._tags += [{**common, "key": name, "value": value} for name, value in sorted(tags)]
        payload = ExecutionCreateRequest(spec=launch.effective_spec, inputs=launch.inputs).SerializeToString()
        self._orders.append({**common, "action": CREATE, "payload": payload, "available_at": submission.now})

    def flush(self) -> None:
        for statement, values in (
            (_INSERT_EXECUTION, self._executions),
            (_INSERT_TAG, self._tags),
            (_INSERT_OUTBOX, self._orders),
        ):
            if values:
                self._connection.execute(statement, values)
                values.clear()


def _taken_names(connection: Connection, submissions: Sequence[Submission]) -> set[ExecutionKey]:
    keys = [ExecutionKey.of(submission.launch.id) for submission in submissions]
    return {
        ExecutionKey(scope.project, scope.domain, name)
        for scope, names in by_scope(keys, lambda key: key)
        for name in connection.execute(
            READ_EXECUTION_NAMES, {**scope.columns, "keys": [key.name for key in names]}
        ).scalars()
    }


def already_exists(execution: WorkflowExecutionIdentifier) -> AlreadyExists:
    """Return the error for a name that is taken; clients take the execution of that name for theirs."""
    return AlreadyExists(f"execution {execution.project}/{execution.domain}/{execution.name} already exists")


def _execution_values(submission: Submission) -> dict[str, Any]:
    launch, source, now = submission.launch, submission.source, submission.now
    created_at = Timestamp()
    created_at.FromDatetime(now)
    principal = launch.spec.metadata.principal
    closure = initial_closure(launch, created_at)
    return {
        **ExecutionKey.of(launch.id).columns,
        "created_at": now,
        "updated_at": now,
        "launch_plan_id": source.launch_plan_id,
        "workflow_id": source.workflow_id,
        "task_id": source.task_id,
        "phase": "UNDEFINED",
        "closure": closure.SerializeToString(),
        "spec": launch.spec.SerializeToString(),
        "execution_created_at": now,
        "execution_updated_at": now,
        "mode": launch.spec.metadata.mode,
        "source_execution_id": submission.origin.execution_id if submission.origin else None,
        "parent_node_execution_id": submission.origin.node_id if submission.origin else None,
        "cluster": launch.spec.metadata.system_metadata.execution_cluster,
        "inputs_uri": submission.inputs_uri,
        "user_inputs_uri": submission.user_inputs_uri,
        "user": principal,
        "launch_entity": "task" if source.task_id is not None else "launch_plan",
    }


def _limit_reached(connection: Connection, submission: Submission) -> LimitReached | None:
    """Count the executions of every version of the plan; upstream counts those that are QUEUED or RUNNING, which lets
    a burst through: here all that have not ended count.
    """
    limit = submission.source.spec.concurrency_policy.max
    own = connection.execute(select(launch_plans).where(launch_plans.c.id == submission.source.launch_plan_id)).one()
    versions = (
        select(launch_plans.c.id)
        .where(*(launch_plans.c[part] == getattr(own, part) for part in ("project", "domain", "name")))
        .order_by(launch_plans.c.id)
        .with_for_update()
    )
    ids = connection.execute(versions).scalars().all()
    going = connection.execute(
        select(func.count())
        .select_from(executions)
        .where(executions.c.launch_plan_id.in_(ids), executions.c.phase.not_in(TERMINAL_PHASE_NAMES))
    ).scalar_one()
    if going < limit:
        return None
    return LimitReached(
        f"concurrency limit ({limit}) reached for launch plan {submission.source.name}; skipping execution"
    )


def read_origin(connection: Connection, node: NodeExecutionIdentifier) -> Origin:
    """Return the rows of the node that starts a child execution.

    :raises NotFound: if the parent execution or the node is not stored
    :raises FailedPrecondition: if one of them has ended: a request that comes late makes no child without a parent
        (upstream takes it)
    """
    execution = connection.execute(
        select(executions.c.id, executions.c.spec, executions.c.phase).where(
            execution_condition(executions, node.execution_id)
        )
    ).one_or_none()
    if execution is None:
        raise missing_execution(node.execution_id)
    parent = connection.execute(
        select(node_executions.c.id, node_executions.c.phase).where(node_condition(node_executions, node))
    ).one_or_none()
    if parent is None:
        raise missing_node(node)
    if execution.phase in TERMINAL_PHASE_NAMES or parent.phase in TERMINAL_NODE_NAMES:
        where = f"{node.execution_id.name}/{node.node_id}"
        raise FailedPrecondition(f"node {where} has ended and starts no execution any more")
    spec = ExecutionSpec.FromString(execution.spec)
    metadata, label = spec.metadata, spec.execution_cluster_label.value
    return Origin(execution.id, parent.id, ParentExecution(metadata.principal, metadata.nesting, label))


def order_termination(connection: Connection, key: ExecutionKey, now: datetime) -> None:
    """Queue the deletion of an execution's FlyteWorkflow."""
    connection.execute(
        _INSERT_OUTBOX,
        {**key.columns, "created_at": now, "updated_at": now, "action": TERMINATE, "available_at": now},
    )


def end_closure(closure: ExecutionClosure, now: datetime) -> None:
    """Set the times of an execution that ends now, in place."""
    closure.updated_at.FromDatetime(now)
    if closure.HasField("started_at"):
        set_duration(closure.duration, closure.started_at, closure.updated_at)
