"""The HTML of the pages below ``/console``. Everything that is not written here is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from flyteidl.admin.execution_pb2 import Execution
from flyteidl.admin.node_execution_pb2 import NodeExecution
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.execution_pb2 import NodeExecution as NodePhases
from flyteidl.core.execution_pb2 import TaskLog, WorkflowExecution

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.2rem 1.5rem .2rem 0}"
    "pre{white-space:pre-wrap;background:#f4f4f4;padding:.5rem;margin:0}"
)
NO_CONSOLE = "<p>There is no web console yet. On the command line:</p>"


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node, and the attempts of its task."""

    node: NodeExecution
    attempts: Sequence[TaskExecution]


def front_page() -> str:
    """Return what is to be said where there is nothing to show."""
    return _page("Flyte", f"{NO_CONSOLE}<pre>flyte get executions\nflyte get nodes NAME\nflyte logs NAME</pre>")


def error_page(message: str) -> str:
    """Return the page of a failed call."""
    return _page("Flyte", f"<p>{escape(message)}</p>")


def execution_page(execution: Execution, nodes: Sequence[NodeView], *, is_cut: bool) -> str:
    """Return the page of an execution.

    :param is_cut: whether there are more nodes than are given
    """
    name = execution.id.name
    closure = execution.closure
    started = closure.created_at.ToDatetime().isoformat(" ", "seconds")
    where = f"{execution.id.project} / {execution.id.domain}, launch plan {execution.spec.launch_plan.name}"
    rows = "".join(map(_node_row, nodes))
    more = "<p>There are more nodes; the command line lists them all.</p>" if is_cut else ""
    command = f"flyte get nodes {name} -p {execution.id.project} -d {execution.id.domain}"
    return _page(
        name,
        f"<p>{escape(where)}, started {started} UTC: <b>{WorkflowExecution.Phase.Name(closure.phase)}</b></p>"
        f"{_error(closure.error.message)}"
        f"<table><tr><th>Node<th>Phase<th>Logs<th>Error</tr>{rows}</table>{more}"
        f"{NO_CONSOLE}<pre>{escape(command)}</pre>",
    )


def _node_row(view: NodeView) -> str:
    closure = view.node.closure
    links = " ".join(
        _link(log, f"attempt {attempt.id.retry_attempt}") for attempt in view.attempts for log in attempt.closure.logs
    )
    phase = NodePhases.Phase.Name(closure.phase)
    error = _error(closure.error.message)
    return f"<tr><td>{escape(view.node.id.node_id)}<td>{phase}<td>{links}<td>{error}</tr>"


def _link(log: TaskLog, text: str) -> str:
    """Return a link to a log; an address that a browser should not follow is only shown."""
    if not log.uri.startswith(("http://", "https://")):
        return escape(f"{text}: {log.uri}")
    return f'<a href="{escape(log.uri)}" rel="noreferrer">{text}</a>'


def _error(message: str) -> str:
    return f"<pre>{escape(message.strip())}</pre>" if message else ""


def _page(title: str, body: str) -> str:
    shown = escape(title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{shown}</title><style>{STYLE}</style>'
        f"<h1>{shown}</h1>{body}</html>\n"
    )
