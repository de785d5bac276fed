"""Options that say which project and domain a command means."""

from __future__ import annotations

import click

from flyte_cli.options.completion_values import domains, projects

project_option = click.option(
    "-p",
    "--project",
    envvar="FLYTE_DEFAULT_PROJECT",
    default="flytesnacks",
    show_default=True,
    help="Project.",
    shell_complete=projects,
)
domain_option = click.option(
    "-d",
    "--domain",
    envvar="FLYTE_DEFAULT_DOMAIN",
    default="development",
    show_default=True,
    help="Domain.",
    shell_complete=domains,
)
