"""The ids that commands take: a plain name, a URN such as ``ex:project:domain:name``, or a console URL.

The forms are those that the old flyte-cli printed: ``ex`` for executions; ``tsk``, ``wf`` and ``lp``, with a version,
for what is registered. A URN wins over ``--project`` and ``--domain``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import click
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier

EXECUTION_PREFIX = "ex"
PREFIXES: Mapping[int, str] = {
    ResourceType.TASK: "tsk",
    ResourceType.WORKFLOW: "wf",
    ResourceType.LAUNCH_PLAN: "lp",
}
"""Resource type → first part of its URNs."""

NOUNS: Mapping[int, str] = {
    ResourceType.TASK: "task",
    ResourceType.WORKFLOW: "workflow",
    ResourceType.LAUNCH_PLAN: "launch plan",
}
_NOUN_OF_PREFIX = {EXECUTION_PREFIX: "an execution", **{PREFIXES[kind]: f"a {noun}" for kind, noun in NOUNS.items()}}
_URN = re.compile(rf"({'|'.join(_NOUN_OF_PREFIX)}):")
_EXECUTION_PAGE = re.compile(r"/projects/([^/]+)/domains/([^/]+)/executions/([^/]+)")


def execution_id(text: str, project: str, domain: str) -> WorkflowExecutionIdentifier:
    """Return the execution that a user means: its name, ``ex:PROJECT:DOMAIN:NAME``, or the URL of its console page.

    :param project: of a plain name; likewise ``domain``
    :raises click.BadParameter: if the text is an id of something else, or is incomplete
    """
    if text.startswith(("http://", "https://")):
        page = _EXECUTION_PAGE.search(urlsplit(text).path)
        if page is None:
            raise click.BadParameter(
                f"{text} is no page of an execution: write …/projects/PROJECT/domains/DOMAIN/executions/NAME"
            )
        project, domain, text = map(unquote, page.groups())
    elif prefix := urn_prefix(text):
        project, domain, text = _parts(text, prefix, EXECUTION_PREFIX, "ex:PROJECT:DOMAIN:NAME", 3)
    return WorkflowExecutionIdentifier(project=project, domain=domain, name=text)


def entity_id(kind: int, text: str, project: str, domain: str, version: str = "") -> Identifier:
    """Return the task, workflow or launch plan that a user means: a name, or ``tsk:PROJECT:DOMAIN:NAME:VERSION``.

    A URN may leave its version out; then ``version`` counts, which may be empty for "the newest, or all".

    :param kind: a ``ResourceType``
    :param project: of a plain name; likewise ``domain``
    :raises click.BadParameter: if the text is an id of something else or incomplete, or names another version
    """
    if prefix := urn_prefix(text):
        wanted = PREFIXES[kind]
        form = f"{wanted}:PROJECT:DOMAIN:NAME[:VERSION]"
        whole = text if text.count(":") >= 4 else f"{text}:"
        project, domain, name, own_version = _parts(whole, prefix, wanted, form, 4, may_be_empty=1)
        if own_version and version and own_version != version:
            raise click.BadParameter(
                f"{text.rstrip(':')} names version {own_version}, and --version {version} is given: leave one out"
            )
        text, version = name, own_version or version
    return Identifier(
        resource_type=ResourceType.ValueType(kind), project=project, domain=domain, name=text, version=version
    )


def urn_prefix(text: str) -> str:
    """Return the first part of a URN (``ex``, ``tsk``, ``wf``, ``lp``), empty where the text is none."""
    found = _URN.match(text)
    return found[1] if found else ""


def urn(identifier: Identifier | WorkflowExecutionIdentifier) -> str:
    """Return the URN of an execution, or of something registered."""
    where = (identifier.project, identifier.domain, identifier.name)
    if isinstance(identifier, WorkflowExecutionIdentifier):
        return ":".join((EXECUTION_PREFIX, *where))
    version = [identifier.version] if identifier.version else []
    return ":".join((PREFIXES[identifier.resource_type], *where, *version))


def _parts(text: str, prefix: str, wanted: str, form: str, count: int, may_be_empty: int = 0) -> list[str]:
    """Split a URN; the last part may hold colons, and may be empty where ``may_be_empty`` is 1."""
    if prefix != wanted:
        raise click.BadParameter(f"{text} names {_NOUN_OF_PREFIX[prefix]}; wanted is {_NOUN_OF_PREFIX[wanted]}: {form}")
    parts = text.split(":", count)[1:]
    if len(parts) < count or not all(parts[: count - may_be_empty]):
        raise click.BadParameter(f"{text.rstrip(':')} is incomplete: write {form}")
    return parts
