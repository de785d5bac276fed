"""What there is to say about nodes and their attempts, as plain data and as lines of a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.catalog_pb2 import CatalogCacheStatus
from flyteidl.core.execution_pb2 import NodeExecution as NodePhases
from flyteidl.core.execution_pb2 import TaskExecution as TaskPhases
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.executions.facts import error_facts
from flyte_cli.executions.node_tree import TreeNode, attempts, with_whole_error
from flyte_cli.options.urns import entity_id, urn
from flyte_cli.registered.interfaces import resources_of
from flyte_cli.showing.output import printable
from flyte_cli.showing.times import duration_text, iso_text, now, seconds_of

START, END = "start-node", "end-node"
"""Ids of the nodes that every workflow begins and ends with; they run nothing."""
COLORS = {"SUCCEEDED": "green", "RECOVERED": "green", "FAILED": "red", "TIMED_OUT": "red", "ABORTED": "yellow"}
"""Phase → color of its name."""


def node_facts(stub: AdminServiceStub, node: TreeNode, name: str) -> dict[str, Any]:
    """Return a node with its attempts, oldest first.

    :param name: what its workflow calls it
    """
    row = with_whole_error(stub, node.row)
    closure, child = row.closure, row.closure.workflow_node_metadata.executionId
    tried = [] if row.metadata.is_parent_node and not row.metadata.is_dynamic else list(attempts(stub, row.id))
    cache = CatalogCacheStatus.Name(closure.task_node_metadata.cache_status)
    return {
        "execution": urn(row.id.execution_id),
        "node": row.id.node_id,
        "spec_node": row.metadata.spec_node_id,
        "name": name,
        "depth": node.depth,
        "phase": NodePhases.Phase.Name(closure.phase),
        "task": urn(tried[-1].id.task_id) if tried else "",
        "launched": urn(child) if child.name else "",
        "created": iso_text(closure.created_at),
        "started": iso_text(closure.started_at),
        "seconds": round(seconds_of(closure, now()), 3),
        "cache": "" if cache == "CACHE_DISABLED" else cache,
        "deck": closure.deck_uri,
        "error": error_facts(closure),
        "attempts": [attempt_facts(each) for each in tried],
    }


def attempt_facts(row: TaskExecution) -> dict[str, Any]:
    """Return an attempt of a task; of an array also its elements."""
    closure = row.closure
    return {
        "attempt": row.id.retry_attempt,
        "phase": TaskPhases.Phase.Name(closure.phase),
        "seconds": round(seconds_of(closure, now()), 3),
        "created": iso_text(closure.created_at),
        "started": iso_text(closure.started_at),
        "name": closure.metadata.generated_name,
        "error": error_facts(closure),
        "reasons": [
            {"time": iso_text(reason.occurred_at), "reason": reason.message.strip()} for reason in closure.reasons
        ],
        "logs": [{"name": log.name, "uri": log.uri} for log in closure.logs],
        "elements": [
            {
                "index": part.index,
                "attempt": part.retry_attempt,
                "phase": TaskPhases.Phase.Name(part.phase),
                "logs": [{"name": log.name, "uri": log.uri} for log in part.logs],
            }
            for part in closure.metadata.external_resources
        ],
    }


def resource_facts(stub: AdminServiceStub, nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return for each node with a task what that asks for; what a node overrides is not known to the control plane."""
    known: dict[str, dict[str, Any]] = {}
    for node in nodes:
        if node["task"] and node["task"] not in known:
            request = ObjectGetRequest(id=entity_id(ResourceType.TASK, node["task"], "", ""))
            template = stub.GetTask(request, timeout=CALL_SECONDS).closure.compiled_task.template
            known[node["task"]] = resources_of(template)
    return [
        {"node": node["node"], **{part: _amounts(known[node["task"]][part]) for part in ("requests", "limits")}}
        for node in nodes
        if node["task"]
    ]


def _amounts(entries: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in entries.items())


def node_lines(nodes: Sequence[Mapping[str, Any]], indent: str = "") -> Iterator[str]:
    """Yield the lines of a tree: each node, its attempts with links to their logs, and its error whole."""
    for node in nodes:
        if (node["spec_node"] or node["node"]) in (START, END):
            continue
        margin = indent + "  " * node["depth"]
        parts = [node["node"], node["name"], phase_text(node["phase"]), duration_text(node["seconds"])]
        parts += [_short(node["task"]), node["launched"], node["cache"]]
        yield margin + "  ".join(filter(None, parts))
        for attempt in node["attempts"]:
            yield from _attempt_lines(attempt, margin + "  ")
        if node["error"] and not _is_told(node):
            yield from _error_lines(node["error"], margin + "  ")


def _is_told(node: Mapping[str, Any]) -> bool:
    """Tell whether the error of a node's last attempt, which is shown, is what the node's own error repeats."""
    error = node["attempts"][-1]["error"] if node["attempts"] else None
    return error is not None and error["message"] in node["error"]["message"]


def _attempt_lines(attempt: Mapping[str, Any], margin: str) -> Iterator[str]:
    yield f"{margin}attempt {attempt['attempt']}  {phase_text(attempt['phase'])}  {duration_text(attempt['seconds'])}"
    for log in attempt["logs"]:
        yield f"{margin}  log: {printable(log['uri'])}"
    for part in attempt["elements"]:
        yield f"{margin}  [{part['index']}] attempt {part['attempt']}  {phase_text(part['phase'])}"
        for log in part["logs"]:
            yield f"{margin}    log: {printable(log['uri'])}"
    if attempt["error"]:
        yield from _error_lines(attempt["error"], margin + "  ")
    elif attempt["reasons"] and attempt["phase"] not in COLORS:
        yield f"{margin}  {printable(attempt['reasons'][-1]['reason'])}"


def _error_lines(error: Mapping[str, str], margin: str) -> Iterator[str]:
    yield f"{margin}error {error['kind']} {printable(error['code'])}:"
    yield from (f"{margin}  {printable(line)}" for line in error["message"].splitlines())


def phase_text(phase: str) -> str:
    """Return a phase in its color."""
    return click.style(phase, fg=COLORS.get(phase, "cyan"))


def _short(task: str) -> str:
    """Return a task's URN without project, domain and version."""
    return task.split(":", 4)[3] if task else ""
