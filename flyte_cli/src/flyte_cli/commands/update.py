"""`flyte update`: flytectl's way to change states and descriptions; shows the difference and asks."""

from __future__ import annotations

from pathlib import Path

import click
from flyteidl.admin.execution_pb2 import ExecutionState, ExecutionUpdateRequest, WorkflowExecutionGetRequest
from flyteidl.admin.project_pb2 import Project, ProjectGetRequest
from flyteidl.core.identifier_pb2 import ResourceType

from flyte_cli.client.connection import CALL_SECONDS, admin
from flyte_cli.client.remotes import remote
from flyte_cli.options.confirmation import dry_run_option, yes_option
from flyte_cli.options.noun_group import NounGroup
from flyte_cli.options.urns import entity_id, execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.registered.activation import activate, deactivate, find_plan
from flyte_cli.registered.changes import Manner, change
from flyte_cli.registered.descriptions import update_entity
from flyte_cli.registered.project_files import described_project, file_id, project_parts
from flyte_cli.showing.output import as_data, output_option

archive_option = click.option("--archive", "wanted", flag_value="archive", help="Hide it.")
activate_option = click.option("--activate", "wanted", flag_value="activate", help="Show it again.")


@click.group(cls=NounGroup)
def command() -> None:
    """Change states and descriptions, in flytectl's words: the difference is shown, and you are asked."""


@command.command()
@click.argument("argument", metavar="[ID]", default="")
@click.option("-p", "--project", help="Id; likewise.")
@project_parts
@click.option("--archive", "--archiveProject", "wanted", flag_value="archive", help="Nothing can be started in it.")
@click.option("--activate", "--activateProject", "wanted", flag_value="activate", help="Open it again.")
@yes_option
@dry_run_option
@output_option
def project(
    argument: str,
    project: str | None,
    identifier: str | None,
    name: str | None,
    description: str | None,
    labels: tuple[str, ...],
    file: Path | None,
    wanted: str | None,
    yes: bool,
    dry_run: bool,
    output: str,
) -> None:
    """Change the project ID: its name, description, labels, or whether it is archived."""
    key = argument or project or identifier or file_id(file)
    if not key:
        raise click.UsageError("give the id of the project: `flyte update project ID`")
    with admin() as stub:
        before: Project = stub.GetProject(ProjectGetRequest(id=key), timeout=CALL_SECONDS)
        del before.domains[:]  # those of the system; an update must not name any
        after = described_project(before, file, name, description, labels)
        if wanted is not None:
            after.state = Project.ARCHIVED if wanted == "archive" else Project.ACTIVE
        change(
            f"project {key}",
            _project_data(before),
            _project_data(after),
            lambda: stub.UpdateProject(after, timeout=CALL_SECONDS),
            Manner(yes, dry_run, output),
        )


def _project_data(project: Project) -> dict[str, object]:
    data = as_data(project)
    return {**data, "state": Project.ProjectState.Name(project.state), "labels": dict(project.labels.values)}


@command.command()
@click.argument("name")
@archive_option
@activate_option
@yes_option
@dry_run_option
@project_option
@domain_option
@output_option
def execution(name: str, wanted: str | None, yes: bool, dry_run: bool, project: str, domain: str, output: str) -> None:
    """Archive an execution: lists leave it out; or show it again."""
    if wanted is None:
        raise click.UsageError("say --archive or --activate")
    identifier = execution_id(name, project, domain)
    state = ExecutionState.EXECUTION_ARCHIVED if wanted == "archive" else ExecutionState.EXECUTION_ACTIVE
    with admin() as stub:
        found = stub.GetExecution(WorkflowExecutionGetRequest(id=identifier), timeout=CALL_SECONDS)
        request = ExecutionUpdateRequest(id=identifier, state=state)
        change(
            f"execution {identifier.name}",
            {"state": ExecutionState.Name(found.closure.state_change_details.state)},
            {"state": ExecutionState.Name(state)},
            lambda: stub.UpdateExecution(request, timeout=CALL_SECONDS),
            Manner(yes, dry_run, output),
        )


@command.command()
@click.argument("name")
@click.option("--version", default="", help="Version; the newest without it, the active one to deactivate.")
@click.option("--activate", "wanted", flag_value="activate", help="Make it the active version: its schedule runs.")
@click.option("--deactivate", "--archive", "wanted", flag_value="deactivate", help="Make it inactive.")
@yes_option
@dry_run_option
@project_option
@domain_option
@output_option
def launchplan(
    name: str, version: str, wanted: str | None, yes: bool, dry_run: bool, project: str, domain: str, output: str
) -> None:
    """Activate or deactivate a version of a launch plan; `flyte launchplan` does it without a question."""
    if wanted is None:
        raise click.UsageError("say --activate or --deactivate")
    set_state = activate if wanted == "activate" else deactivate
    with remote(project, domain) as client:
        plan = find_plan(client, name, version, project, domain, active=wanted == "deactivate")
        would_be = set_state(client, plan, dry_run=True)
        change(
            f"launch plan {plan.id.name}",
            {"active version": would_be.before or None},
            {"active version": would_be.after or None},
            lambda: set_state(client, plan, dry_run=False),
            Manner(yes, dry_run, output),
        )


def _description_command(kind: ResourceType.ValueType, noun: str, words: str) -> click.Command:
    @click.command(name=f"{noun}-meta", help=f"Change the description of a {words}, or archive it.")
    @click.argument("name")
    @click.option("--description", help="Description.")
    @archive_option
    @activate_option
    @yes_option
    @dry_run_option
    @project_option
    @domain_option
    @output_option
    def update(
        name: str,
        description: str | None,
        wanted: str | None,
        yes: bool,
        dry_run: bool,
        project: str,
        domain: str,
        output: str,
    ) -> None:
        if wanted is None and description is None:
            raise click.UsageError("say what to change: --description, --archive or --activate")
        with admin() as stub:
            archived = None if wanted is None else wanted == "archive"
            named = entity_id(kind, name, project, domain)
            update_entity(stub, named, Manner(yes, dry_run, output), description=description, archived=archived)

    return update


for _kind, _noun, _words in (
    (ResourceType.TASK, "task", "task"),
    (ResourceType.WORKFLOW, "workflow", "workflow"),
    (ResourceType.LAUNCH_PLAN, "launchplan", "launch plan"),
):
    command.add_command(_description_command(_kind, _noun, _words))
