"""`flyte run`: a task, workflow or launch plan of a file, here or on the control plane."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from flyte_cli.programs.launch_options import LaunchOptions, launch_options, with_options
from flyte_cli.programs.registration_options import COPY, registration_options

REGISTERED = {"remote-task": "task", "remote-workflow": "workflow", "remote-launchplan": "launch-plan"}


class RunGroup(click.Group):
    """Files as commands, and what is registered already."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the Python files of this folder, and the registered kinds."""
        return [*sorted(REGISTERED), *sorted(str(path) for path in Path().glob("*.py"))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the group of a file's entities, or of registered ones."""
        if cmd_name in REGISTERED:
            from flyte_cli.programs.registered_entities import RegisteredGroup

            return RegisteredGroup(
                REGISTERED[cmd_name], lambda: _run_context(click.get_current_context()).params, name=cmd_name
            )
        if not Path(cmd_name).is_file():
            return None
        return FileGroup(Path(cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; what is no file is told as that."""
        if args and args[0] not in REGISTERED and not Path(args[0]).is_file():
            raise click.UsageError(f"there is no file {args[0]!r}; give the path of a Python file.", ctx)
        return super().resolve_command(ctx, args)


class FileGroup(click.Group):
    """The entities of a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(name=str(path), help=f"Run what {path} defines.", no_args_is_help=False)
        self.path = path
        self._entities: dict[str, Any] | None = None

    def entities(self) -> dict[str, Any]:
        """Return them by variable name; the file is imported when this is first asked for."""
        from flyte_cli.programs.entities import entities_of, load_file

        if self._entities is None:
            self._entities = entities_of(load_file(self.path))
        return self._entities

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the variable names."""
        return list(self.entities())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command that runs one."""
        from flyte_cli.programs.entities import description_of, kind_of
        from flyte_cli.programs.input_options import input_options

        entity = self.entities().get(cmd_name)
        if entity is None:
            return None
        what = f"{kind_of(entity)} {entity.name}"
        return EntityCommand(
            cmd_name,
            params=input_options(entity.python_interface),
            callback=lambda **values: run_entity(entity, self.path, values),
            help=f"{description_of(entity) or f'Run the {what}.'}",
            short_help=f"{what}  {description_of(entity)}",
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; what the file does not define is told with what it does."""
        if args and args[0] not in self.entities():
            known = ", ".join(self.entities()) or "nothing that can be run"
            raise click.UsageError(f"{self.path} has no {args[0]!r}; it defines {known}.", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the entity; without a name say which there are."""
        if not ctx._protected_args and not ctx.args:
            known = ", ".join(self.entities()) or "nothing that can be run"
            raise click.UsageError(f"name what to run: {self.path} defines {known}.", ctx)
        return super().invoke(ctx)


class EntityCommand(click.Command):
    """A command whose options are inputs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the inputs; an option that is none is told with those there are, and where others stand."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            run = _run_context(ctx).command
            elsewhere = {name for option in run.params for name in (*option.opts, *option.secondary_opts)}
            if error.option_name in elsewhere:
                usage = f"flyte {_run_context(ctx).info_name} {error.option_name} …"
                raise click.UsageError(f"{error.option_name} stands before what is run: {usage}", ctx) from error
            names = ", ".join(option.opts[0] for option in self.params) or "none"
            raise click.UsageError(
                f"{self.name} has no input {error.option_name}; its inputs: {names}.", ctx
            ) from error


def _run_context(ctx: click.Context) -> click.Context:
    """Return the context that has the options of `flyte run`."""
    while ctx.parent is not None and ctx.parent.parent is not None:
        ctx = ctx.parent
    return ctx


@click.group(cls=RunGroup, subcommand_metavar="FILE ENTITY [INPUTS]...", invoke_without_command=False)
@click.option("-r", "--remote", is_flag=True, help="Register, and run on the control plane; here without it.")
@with_options(launch_options())
@with_options(registration_options("auto", "all", "none"))
@click.option("--copy-all", is_flag=True, help="The same as --copy all.")
@click.option("--version", "-v", help="Version to register; made of the code without it.")
def command(**values: Any) -> None:
    """Run a task, workflow or launch plan of FILE: in this process, or with --remote on the control plane.

    \b
      flyte run train.py wf --epochs 3
      flyte run --remote --follow train.py wf --epochs 3
      flyte run --follow remote-launchplan train.wf --epochs 3

    Options stand before FILE; after ENTITY come its inputs (`flyte run FILE ENTITY --help` lists them).
    """


def run_entity(entity: Any, path: Path, values: dict[str, Any]) -> None:
    """Run an entity with the inputs of its options, where the options of `flyte run` say."""
    from flyte_cli.programs.input_options import given_inputs

    ctx = click.get_current_context()
    options = _run_context(ctx).params
    asked = LaunchOptions.of(options)
    inputs = given_inputs(entity.python_interface, values, asked.inputs_file)
    if options["remote"]:
        _run_there(entity, path, inputs, asked, options)
    else:
        _run_here(entity, inputs, asked)


def _run_here(entity: Any, inputs: dict[str, Any], asked: LaunchOptions) -> None:
    from flyte_cli.programs.local_run import outputs_by_name, plain_outputs, run_here
    from flyte_cli.showing.output import print_data

    if asked.wait or asked.name:
        option = "--follow" if asked.wait else "--name"
        raise click.UsageError(f"{option} is for executions on the control plane: add --remote.")
    os.environ.update(asked.env)
    if asked.overwrite_cache:
        os.environ["FLYTE_LOCAL_CACHE_OVERWRITE"] = "true"
    result = run_here(entity, inputs)
    interface = entity.python_interface
    if asked.output != "table":
        print_data(plain_outputs(interface, result), asked.output)
        return
    values = outputs_by_name(interface, result)
    for name, value in values.items():
        click.echo(value if len(values) == 1 else f"{name}: {value}")


def _run_there(entity: Any, path: Path, inputs: dict[str, Any], asked: LaunchOptions, options: dict[str, Any]) -> None:
    from flyte_cli.client.remotes import remote
    from flyte_cli.programs.input_options import with_defaults
    from flyte_cli.programs.registration_options import settings_of
    from flyte_cli.programs.remote_run import start
    from flyte_kit.core.base_task import PythonTask
    from flyte_kit.core.eager import EagerAsyncPythonFunctionTask
    from flyte_kit.registration.sources import project_root

    settings = settings_of(options, project=asked.project, domain=asked.domain, version=options["version"])
    copy = COPY["all" if options["copy_all"] else options["copy"]]
    if copy is COPY["none"] and not settings.version:
        raise click.UsageError("--copy none needs --version: without code there is nothing to make one of.")
    if isinstance(entity, EagerAsyncPythonFunctionTask):
        entity = entity.get_as_workflow()  # it ends what an eager task that fails has started
    with remote(asked.project, asked.domain) as client:
        settings = client.with_code(entity, settings, project_root(path), copy, options["destination_dir"])
        client.register_entity(entity, settings)
        if isinstance(entity, PythonTask):
            inputs = with_defaults(entity.python_interface, inputs)
        start(client, entity, inputs, asked, settings.version)
