"""`flyte create`: flytectl's way to make projects and executions."""

from __future__ import annotations

from pathlib import Path

import click
from flyteidl.admin.project_pb2 import Project, ProjectRegisterRequest

from flyte_cli.client.connection import CALL_SECONDS, admin
from flyte_cli.client.remotes import remote
from flyte_cli.executions.files import Order, find_entity, read_order, start, values
from flyte_cli.executions.waiting import report_started, wait_option
from flyte_cli.options.confirmation import dry_run_option
from flyte_cli.options.noun_group import NounGroup
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.programs.pairs import pairs_of
from flyte_cli.registered.project_files import described_project, file_id, project_parts
from flyte_cli.showing.output import as_data, output_option, print_data
from flyte_kit.remote import FlyteRemote


@click.group(cls=NounGroup)
def command() -> None:
    """Make projects and executions, in flytectl's words."""


@command.command()
@click.argument("argument", metavar="[ID]", default="")
@project_parts
@dry_run_option
@output_option
def project(
    argument: str,
    identifier: str | None,
    name: str | None,
    description: str | None,
    labels: tuple[str, ...],
    file: Path | None,
    dry_run: bool,
    output: str,
) -> None:
    """Make the project ID. Its name is the id where none is given."""
    wanted = Project(id=identifier or argument or file_id(file))
    if not wanted.id:
        raise click.UsageError("give the id of the project: `flyte create project ID`")
    made = described_project(wanted, file, name, description, labels)
    made.name = made.name or made.id
    if not dry_run:
        with admin() as stub:
            stub.RegisterProject(ProjectRegisterRequest(project=made), timeout=CALL_SECONDS)
    if output == "table":
        click.echo(f"{made.id}: {'would be made' if dry_run else 'made'}")
    else:
        print_data(as_data(made), output)


@command.command()
@click.argument("name", default="")
@click.option(
    "--execFile",
    "--exec-file",
    "exec_file",
    type=click.Path(path_type=Path),
    help="YAML: what to run, with its inputs.",
)
@click.option("--workflow", help="Name of a launch plan to run.")
@click.option("--task", help="Name of a task to run.")
@click.option("--version", help="Of the launch plan or task; the newest without it.")
@click.option("--targetProject", "--target-project", "target_project", help="Project of the execution, if another.")
@click.option("--targetDomain", "--target-domain", "target_domain", help="Domain of the execution, if another.")
@click.option("--kubeServiceAcct", "--service-account", "service_account", help="Kubernetes service account.")
@click.option("--iamRoleARN", "--iam-role", "iam_role", help="IAM role that its tasks assume.")
@click.option("--clusterPool", "--cluster-pool", "cluster_pool", help="Name of a cluster pool.")
@click.option("--overwriteCache", "--overwrite-cache", "overwrite_cache", is_flag=True, help="Replace what is cached.")
@click.option("--envs", "--env", "envs", multiple=True, metavar="KEY=VALUE", help="Variable of its tasks; many.")
@click.option("--relaunch", metavar="EXECUTION", help="Run an execution again; see `flyte relaunch`.")
@click.option("--recover", metavar="EXECUTION", help="Run it again, taking over what has succeeded.")
@wait_option
@dry_run_option
@project_option
@domain_option
@output_option
def execution(
    name: str,
    exec_file: Path | None,
    relaunch: str | None,
    recover: str | None,
    envs: tuple[str, ...],
    wait: bool,
    dry_run: bool,
    project: str,
    domain: str,
    output: str,
    **options: str | bool | None,
) -> None:
    """Start an execution: what a file describes, a launch plan, a task, or an execution again; print its name.

    The file is the one that flytectl writes; keys are workflow or task, version, inputs, envs, targetProject,
    targetDomain, kubeServiceAcct, iamRoleARN, clusterPool, overwriteCache. Options win over the file.
    """
    renamed = {"project": options.pop("target_project"), "domain": options.pop("target_domain")}
    ways = [exec_file or options["workflow"] or options["task"], relaunch, recover]
    if sum(map(bool, ways)) != 1:
        raise click.UsageError("say what to run: --execFile, --workflow, --task, --relaunch or --recover")
    with remote(project, domain) as client:
        if exec_file or options["workflow"] or options["task"]:
            order = read_order(exec_file) if exec_file else Order()
            order = order.with_options(**options, **renamed, envs={**order.envs, **pairs_of(envs, "--envs")})
            _start(client, order, name, wait=wait, dry_run=dry_run, output=output)
            return
        again = execution_id(relaunch or recover or "", project, domain)
        if dry_run:
            _say_again(again.name, output)
            return
        if relaunch:
            started = client.relaunch(again, name or None, overwrite_cache=bool(options["overwrite_cache"]))
        else:
            started = client.recover(again, name or None)
        report_started(client, started.message, wait=wait, output=output)


def _say_again(execution: str, output: str) -> None:
    if output == "table":
        click.echo(f"{execution} would be run again")
    else:
        print_data({"execution": execution, "dry_run": True}, output)


def _start(client: FlyteRemote, order: Order, name: str, *, wait: bool, dry_run: bool, output: str) -> None:
    entity = find_entity(client, order)
    if not dry_run:
        started = start(client, order, entity, name or None)
        report_started(client, started.message, wait=wait, output=output)
        return
    given = values(order, entity)
    if output == "table":
        click.echo(f"{entity.name} {entity.version} would be run with {', '.join(sorted(given)) or 'no inputs'}")
    else:
        print_data({"id": as_data(entity.id), "inputs": sorted(given), "dry_run": True}, output)
