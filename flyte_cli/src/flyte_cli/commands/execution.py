"""`flyte execution`: pyflyte's spelling of recover and relaunch."""

from __future__ import annotations

import click

from flyte_cli.commands import recover, relaunch
from flyte_cli.options.where import domain_option, project_option


@click.group()
@click.option("--execution-id", required=True, help="Name of the execution.")
@project_option
@domain_option
@click.pass_context
def command(context: click.Context, execution_id: str, project: str, domain: str) -> None:
    """Recover or relaunch an execution, in pyflyte's words; see `flyte recover` and `flyte relaunch`."""
    context.obj = {"execution": execution_id, "project": project, "domain": domain}


def _in_words_of_pyflyte(original: click.Command, name: str) -> click.Command:
    given = {"execution", "project", "domain"}
    assert original.callback is not None
    run = original.callback

    def callback(**options: object) -> None:
        run(**click.get_current_context().find_object(dict) or {}, **options)

    parameters = [each for each in original.params if each.name not in given]
    return click.Command(name, params=parameters, callback=callback, help=original.help)


command.add_command(_in_words_of_pyflyte(recover.command, "recover"))
command.add_command(_in_words_of_pyflyte(relaunch.command, "relaunch"))
