"""`flyte describe task`, `flyte describe workflow` and `flyte describe launch-plan`."""

from __future__ import annotations

from typing import Any

import click
from flyteidl.admin.launch_plan_pb2 import LaunchPlanState
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import admin
from flyte_cli.options.completion_values import (
    launch_plan_names,
    launch_plan_versions,
    task_names,
    task_versions,
    workflow_names,
    workflow_versions,
)
from flyte_cli.options.urns import entity_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.registered.facts import launch_plan_facts, task_facts, workflow_facts, workflow_resources
from flyte_cli.registered.reading import find_entity, versions
from flyte_cli.showing.documents import print_description
from flyte_cli.showing.output import output_option
from flyte_cli.showing.times import iso_text

SHOWN_VERSIONS = 10
"""The newest ones."""

version_option = click.option("--version", "version_given", default="", help="This version, in place of the newest.")


@click.command()
@click.argument("name", shell_complete=task_names)
@click.argument("version", default="", shell_complete=task_versions)
@project_option
@domain_option
@version_option
@output_option
def tasks(name: str, version: str, project: str, domain: str, version_given: str, output: str) -> None:
    """Tell everything about the task NAME: signature, image, resources, cache, retries, versions."""
    with admin() as stub:
        row = find_entity(stub, entity_id(ResourceType.TASK, name, project, domain, version or version_given))
        data = {**task_facts(row), "versions": _versions(stub, row)}
    print_description(data, output)


@click.command()
@click.argument("name", shell_complete=workflow_names)
@click.argument("version", default="", shell_complete=workflow_versions)
@project_option
@domain_option
@version_option
@click.option("--resources", is_flag=True, help="Also what its tasks ask for: CPU, memory, …")
@output_option
def workflows(
    name: str, version: str, project: str, domain: str, version_given: str, resources: bool, output: str
) -> None:
    """Tell everything about the workflow NAME: signature, nodes, what happens on failures, versions."""
    with admin() as stub:
        row = find_entity(stub, entity_id(ResourceType.WORKFLOW, name, project, domain, version or version_given))
        data = workflow_facts(row)
        if resources:
            data["resources"] = workflow_resources(row)
        data["versions"] = _versions(stub, row)
    print_description(data, output)


@click.command(name="launch-plans")
@click.argument("name", shell_complete=launch_plan_names)
@click.argument("version", default="", shell_complete=launch_plan_versions)
@project_option
@domain_option
@version_option
@output_option
def launch_plans(name: str, version: str, project: str, domain: str, version_given: str, output: str) -> None:
    """Tell everything about the launch plan NAME: inputs with defaults, schedule, notifications, versions."""
    with admin() as stub:
        row = find_entity(stub, entity_id(ResourceType.LAUNCH_PLAN, name, project, domain, version or version_given))
        data = {**launch_plan_facts(row), "versions": _versions(stub, row)}
    print_description(data, output)


def _versions(stub: AdminServiceStub, row: Any) -> list[dict[str, Any]]:
    found = []
    for each in versions(stub, row.id, SHOWN_VERSIONS):
        facts = {"version": each.id.version, "created": iso_text(each.closure.created_at)}
        if row.id.resource_type == ResourceType.LAUNCH_PLAN:
            facts["state"] = LaunchPlanState.Name(each.closure.state)
        found.append(facts)
    return found
