"""Asks the control plane for what a shell offers: one call each, bounded in time, since a person waits for the key.

:param typed: values of the command's parameters that have been typed already
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from flyteidl.admin.common_pb2 import NamedEntityIdentifier, NamedEntityIdentifierListRequest, ResourceListRequest, Sort
from flyteidl.admin.node_execution_pb2 import NodeExecutionListRequest
from flyteidl.admin.project_pb2 import GetDomainRequest, ProjectListRequest

from flyte_cli.client.connection import admin
from flyte_cli.options.completion_values import OFFERED
from flyte_cli.options.urns import execution_id

ANSWER_SECONDS = 1.0
NEWEST_FIRST = Sort(key="created_at", direction=Sort.DESCENDING)

Typed = Mapping[str, Any]


def projects(typed: Typed, incomplete: str) -> Iterable[str]:
    """Return ids of projects."""
    with admin() as stub:
        found = stub.ListProjects(ProjectListRequest(limit=OFFERED), timeout=ANSWER_SECONDS).projects
    return [each.id for each in found]


def domains(typed: Typed, incomplete: str) -> Iterable[str]:
    """Return ids of domains."""
    with admin() as stub:
        found = stub.GetDomains(GetDomainRequest(), timeout=ANSWER_SECONDS).domains
    return [each.id for each in found]


def executions(typed: Typed, incomplete: str) -> Iterable[str]:
    """Return names of executions, newest first."""
    request = ResourceListRequest(
        id=NamedEntityIdentifier(**_where(typed)),
        limit=OFFERED,
        filters=_containing(incomplete, "execution_name"),
        sort_by=NEWEST_FIRST,
    )
    with admin() as stub:
        found = stub.ListExecutions(request, timeout=ANSWER_SECONDS).executions
    return [each.id.name for each in found]


def nodes(typed: Typed, incomplete: str) -> Iterable[str]:
    """Return ids of the nodes of the execution that has been typed, but for those below other nodes."""
    execution = execution_id(typed.get("execution") or "", **_where(typed))
    request = NodeExecutionListRequest(workflow_execution_id=execution, limit=OFFERED)
    with admin() as stub:
        found = stub.ListNodeExecutions(request, timeout=ANSWER_SECONDS).node_executions
    return [each.id.node_id for each in found]


def names(typed: Typed, incomplete: str, method: str) -> Iterable[str]:
    """Return names of what is registered.

    :param method: RPC that lists them
    """
    request = NamedEntityIdentifierListRequest(**_where(typed), limit=OFFERED, filters=_containing(incomplete))
    with admin() as stub:
        found = getattr(stub, method)(request, timeout=ANSWER_SECONDS).entities
    return [each.name for each in found]


def versions(typed: Typed, incomplete: str, method: str, field: str) -> Iterable[str]:
    """Return versions of the name that has been typed, newest first.

    :param method: RPC that lists them
    :param field: of its answer
    """
    where = NamedEntityIdentifier(**_where(typed), name=typed.get("name") or "")
    request = ResourceListRequest(id=where, limit=OFFERED, sort_by=NEWEST_FIRST)
    with admin() as stub:
        found = getattr(getattr(stub, method)(request, timeout=ANSWER_SECONDS), field)
    return [each.id.version for each in found]


def _where(typed: Typed) -> dict[str, str]:
    found = {}
    for name, default in (("project", "flytesnacks"), ("domain", "development")):
        found[name] = typed.get(name) or os.environ.get(f"FLYTE_DEFAULT_{name.upper()}") or default
    return found


def _containing(incomplete: str, field: str = "name") -> str:
    return f"contains({field},{incomplete})" if incomplete else ""
