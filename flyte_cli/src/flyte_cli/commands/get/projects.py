"""`flyte get projects`."""

from __future__ import annotations

import click
from flyteidl.admin.project_pb2 import Project, ProjectListRequest

from flyte_cli.client.connection import admin
from flyte_cli.client.paging import pages
from flyte_cli.commands.get.listing import Listing, listing_options
from flyte_cli.options.completion_values import projects as known_projects
from flyte_cli.showing.output import View, print_rows
from flyte_core.errors import NotFound

VIEW = View(
    columns=(
        ("ID", lambda row: row.id),
        ("NAME", lambda row: row.name),
        ("DOMAINS", lambda row: ", ".join(domain.id for domain in row.domains)),
    ),
    further=(
        ("STATE", lambda row: Project.ProjectState.Name(row.state)),
        ("LABELS", lambda row: ", ".join(f"{key}={value}" for key, value in sorted(row.labels.values.items()))),
        ("DESCRIPTION", lambda row: row.description),
    ),
    name=lambda row: str(row.id),
)


@click.command()
@click.argument("project", default="", shell_complete=known_projects)
@listing_options(sort_key="identifier")
def projects(project: str, listing: Listing) -> None:
    """List projects and their domains; with PROJECT only that one.

    Archived projects are left out, unless a filter speaks of them: `--filter 'eq(state,1)'`.
    """
    filters = listing.and_filter(f"eq(identifier,{project})" if project else "")
    request = ProjectListRequest(filters=filters, sort_by=listing.sort)
    with admin() as stub:
        rows = list(pages(stub.ListProjects, request, "projects", listing.limit))
    if project and not rows:
        raise NotFound(f"there is no project {project}: `flyte get projects` lists them")
    print_rows(rows, VIEW, listing.output)
