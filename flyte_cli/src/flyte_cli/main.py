"""The `flyte` command: a group whose commands are imported when they run, so that `flyte --help` stays fast."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from flyte_core.errors import FlyteError

COMMANDS = {
    "completion": ("flyte_cli.commands.completion", "Print what a shell needs to complete `flyte`."),
    "describe": ("flyte_cli.commands.describe", "Tell everything about one execution, task, workflow or launch plan."),
    "build": ("flyte_cli.commands.build", "Build the images that a program's tasks ask for."),
    "check": ("flyte_cli.commands.check", "Say what is wrong with a program, without running or sending it."),
    "backfill": ("flyte_cli.commands.backfill", "Run a scheduled launch plan for the times of the past."),
    "doctor": ("flyte_cli.commands.doctor", "Check this installation and the server it talks to."),
    "fetch": ("flyte_cli.commands.fetch", "Print or copy inputs, outputs and decks."),
    "get": ("flyte_cli.commands.get", "List projects, tasks, workflows, launch plans, executions and nodes."),
    "launchplan": ("flyte_cli.commands.launchplan", "Activate or deactivate a version of a launch plan."),
    "metrics": ("flyte_cli.commands.metrics", "Tell where the time of an execution went."),
    "top": ("flyte_cli.commands.top", "Show what runs now, and what it waits for."),
    "info": ("flyte_cli.commands.info", "Show versions of client and server, and where the server is."),
    "logs": ("flyte_cli.commands.logs", "Print what the tasks of an execution wrote."),
    "execution": ("flyte_cli.commands.execution", "Recover or relaunch an execution, in pyflyte's words."),
    "plugins": ("flyte_cli.commands.plugins", "List the installed plugins, and why one is or is not used."),
    "recover": ("flyte_cli.commands.recover", "Run an execution again, taking over what has succeeded."),
    "relaunch": ("flyte_cli.commands.relaunch", "Run an execution again, with the same inputs."),
    "signal": ("flyte_cli.commands.signal", "Answer what an execution waits for: approvals and values."),
    "register": ("flyte_cli.commands.register", "Register files, folders, packages or an archive."),
    "serialize": ("flyte_cli.commands.serialize", "Write what would be registered as files."),
    "package": ("flyte_cli.commands.package", "Pack what would be registered into an archive."),
    "execute": ("flyte_cli.commands.execute", "Start a registered launch plan, workflow or task."),
    "diff": ("flyte_cli.commands.diff", "Show what a registration would change."),
    "run": ("flyte_cli.commands.run", "Run a task or workflow of a file, here or on the control plane."),
    "terminate": ("flyte_cli.commands.terminate", "End executions before their time."),
    "up": ("flyte_cli.commands.up", "Start all of Flyte on this machine."),
    "wait": ("flyte_cli.commands.wait", "Wait until executions have ended."),
    "create": ("flyte_cli.commands.create", "Make projects and executions, in flytectl's words."),
    "delete": ("flyte_cli.commands.delete", "End executions, in flytectl's words."),
    "update": ("flyte_cli.commands.update", "Change states and descriptions, in flytectl's words."),
    "init": ("flyte_cli.commands.init", "Make a small project that runs at once."),
    "local-cache": ("flyte_cli.commands.local_cache", "Forget what local runs have cached."),
    "config": ("flyte_cli.commands.config", "Write and check the file that says where the control plane is."),
}
"""Command name → (module with a click command named ``command``, line for the help page)."""

EXIT_FAILED = 1
EXIT_NOT_UNDERSTOOD = 2
EXIT_CODES = """\b
Exit codes:
  0  done
  1  understood, and failed: one line on stderr names the thing and the fix
  2  not understood: a command, option or argument that is missing or wrong
"""


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names without importing anything."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return names of commands from the table, importing none."""
        names = [name for name in sorted(COMMANDS) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=COMMANDS[name][1]) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in sorted(COMMANDS.items())])


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="flyte-cli", prog_name="flyte")
@click.option("-c", "--config", default="", metavar="FILE", help="Client configuration, in place of FLYTECTL_CONFIG.")
def cli(config: str) -> None:
    """Flyte in Python: workflows on this machine or on a cluster."""
    if config:  # in the environment, so that what this command starts reads the same file
        os.environ["FLYTECTL_CONFIG"] = config


def main() -> None:
    """Run the command line. What fails ends as one line on stderr; see ``EXIT_CODES``."""
    try:
        sys.exit(cli.main(prog_name="flyte", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(EXIT_NOT_UNDERSTOOD)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "flyte"
        _say(f"{error.format_message().rstrip('.')}. See `{command} --help`.")
        sys.exit(EXIT_NOT_UNDERSTOOD)
    except click.Abort:
        _say("stopped by Ctrl-C")
        sys.exit(EXIT_FAILED)
    except (click.ClickException, FlyteError) as error:
        _say(error.format_message() if isinstance(error, click.ClickException) else str(error))
        sys.exit(EXIT_FAILED)


def _say(message: str) -> None:
    """Print a message as one line."""
    click.echo("flyte: " + "; ".join(line.strip() for line in message.splitlines() if line.strip()), err=True)
