"""How what is to be registered differs from what is."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click
import yaml
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from google.protobuf.json_format import MessageToDict

from flyte_cli.client.remotes import remote
from flyte_cli.programs.collecting import kind_of, name_of
from flyte_cli.showing.output import print_data
from flyte_kit.exceptions.user import FlyteEntityNotExistException
from flyte_kit.remote import FlyteRemote
from flyte_kit.serialization.registrable import Registrable

NEW, CHANGED, SAME = "new", "changed", "the same"
START = "start-node"
_ENDS = {START, "end-node"}
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_FAST = {"--remote-distribution", "--dest-dir", "--additional-distribution"}
_TYPES = {"task": ResourceType.TASK, "workflow": ResourceType.WORKFLOW, "launch plan": ResourceType.LAUNCH_PLAN}


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one entity.

    :ivar version: that it was compared with; empty for a new one
    :ivar lines: of a unified diff
    """

    kind: str
    name: str
    status: str
    version: str = ""
    lines: tuple[str, ...] = ()


def show_differences(
    messages: Iterable[Registrable], project: str, domain: str, output: str, version: str = ""
) -> bool:
    """Print how messages differ from what is registered; return whether any does.

    :param version: to compare with; the newest of each name without it
    """
    with remote(project, domain) as client:
        found = [_difference(client, message, project, domain, version) for message in messages]
    if output != "table":
        rows = [
            {"kind": d.kind, "name": d.name, "status": d.status, "version": d.version, "diff": list(d.lines)}
            for d in found
        ]
        print_data(rows, output)
    else:
        for each in found:
            if each.status != SAME:
                click.secho(
                    f"{each.kind} {each.name}: {each.status}{f' since {each.version}' if each.version else ''}",
                    bold=True,
                )
            for line in each.lines:
                click.secho(f"  {line}", fg=_COLOURS.get(line[:1]))
        counts = Counter(each.status for each in found)
        click.echo(", ".join(f"{counts[status]} {status}" for status in (NEW, CHANGED, SAME) if counts[status]))
    return any(each.status != SAME for each in found)


def _difference(client: FlyteRemote, message: Registrable, project: str, domain: str, version: str) -> Difference:
    kind, name = kind_of(message), name_of(message)
    wanted = Identifier(resource_type=_TYPES[kind], project=project, domain=domain, name=name, version=version)
    registered = _registered(client, wanted)
    if registered is None:
        return Difference(kind, name, NEW)
    before, after = _document(registered), _document(message)
    lines = _lines(before, after)
    return Difference(kind, name, CHANGED if lines else SAME, registered.id.version, lines)


def _registered(client: FlyteRemote, wanted: Identifier) -> Any:
    where = {"project": wanted.project, "domain": wanted.domain, "name": wanted.name, "version": wanted.version or None}
    fetch = {
        ResourceType.TASK: client.fetch_task,
        ResourceType.WORKFLOW: client.fetch_workflow,
        ResourceType.LAUNCH_PLAN: client.fetch_launch_plan,
    }[wanted.resource_type]
    try:
        return fetch(**where).message  # type: ignore[attr-defined]
    except FlyteEntityNotExistException:
        return None


def _document(message: Any) -> dict[str, Any]:
    """Return what counts of an entity, the same for one to be registered and one that is."""
    if isinstance(message, TaskSpec):
        return _plain(message.template)
    if isinstance(message, LaunchPlan):
        return _plain(message.spec)
    if hasattr(message, "template"):
        return _workflow([message.template, *message.sub_workflows])
    closure = message.closure
    if hasattr(closure, "compiled_task"):
        return _plain(closure.compiled_task.template)
    compiled = closure.compiled_workflow
    return _workflow([compiled.primary.template, *(each.template for each in compiled.sub_workflows)])


def _workflow(templates: list[Any]) -> dict[str, Any]:
    first, *others = templates
    inner = sorted(others, key=lambda template: str(template.id.name))
    return {**_template(first), "sub_workflows": [_template(each) for each in inner]}


def _template(template: Any) -> dict[str, Any]:
    document = _plain(template)
    nodes = [node for node in document.get("nodes", []) if node["id"] not in _ENDS]
    for node in nodes:
        bound = set(_promised(node.get("inputs", [])))
        after = [each for each in node.pop("upstream_node_ids", []) if each not in bound | _ENDS]
        if after:
            node["after"] = sorted(after)
        node.get("inputs", []).sort(key=lambda binding: binding["var"])
    return {**document, "nodes": sorted(nodes, key=lambda node: str(node["id"]))}


def _promised(value: Any) -> Iterator[str]:
    """Yield the nodes whose outputs bindings name: they come first anyhow."""
    if isinstance(value, dict):
        if "node_id" in value:
            yield value["node_id"]
        for each in value.values():
            yield from _promised(each)
    elif isinstance(value, list):
        for each in value:
            yield from _promised(each)


def _plain(message: Any) -> dict[str, Any]:
    document: dict[str, Any] = _without_versions(MessageToDict(message, preserving_proto_field_name=True))
    document.pop("id", None)
    arguments = document.get("container", {}).get("args", [])
    kept = [arg for at, arg in enumerate(arguments) if not {arg, *arguments[max(0, at - 1) : at]} & _FAST]
    if arguments:
        document["container"]["args"] = kept
    return document


def _without_versions(value: Any) -> Any:
    """Return data without what every registration changes: project, domain and version of ids; and what is empty."""
    if isinstance(value, list):
        return [_without_versions(each) for each in value]
    if not isinstance(value, dict):
        return value
    is_id = "name" in value and "version" in value
    if value.get("node_id") == START:
        value = {key: each for key, each in value.items() if key != "node_id"}
    kept = {
        key: _without_versions(each)
        for key, each in value.items()
        if not (is_id and key in ("project", "domain", "version"))
    }
    return {key: each for key, each in kept.items() if each not in ({}, [], "", None)}


def _lines(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    old, new = (yaml.safe_dump(each, sort_keys=True).splitlines() for each in (before, after))
    return tuple(difflib.unified_diff(old, new, "registered", "here", lineterm="", n=2))[2:]
