"""`flyte register`: code and what it defines go to the control plane."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from flyte_cli.options.where import domain_option, project_option
from flyte_cli.programs.collecting import (
    Program,
    counted,
    kind_of,
    messages_of,
    name_of,
    read_program,
    settings_with,
)
from flyte_cli.programs.failures import failure
from flyte_cli.programs.launch_options import with_options
from flyte_cli.programs.registration_options import COPY, registration_options, settings_of
from flyte_cli.showing.output import Table, output_option, print_data
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.options import Options
from flyte_kit.registration.tarball import Tarball
from flyte_kit.serialization.registrable import Registrable

NOT_SENT = "(the code is not sent)"


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER|PACKAGE|ARCHIVE...")
@project_option
@domain_option
@click.option("-v", "--version", help="Version of all of it; made of the code without it.")
@with_options(registration_options("auto", "all", "none"))
@click.option("--non-fast", is_flag=True, help="The same as --copy none: the code is in the images.")
@click.option("--service-account", help="Kubernetes service account of launch plans.")
@click.option(
    "--raw-data-prefix", "--raw-output-data-prefix", help="Where the data of launch plans' runs goes (s3://…)."
)
@click.option("--env", "--envvars", multiple=True, metavar="KEY=VALUE", help="Variable of all tasks; many.")
@click.option("--deref-symlinks", is_flag=True, help="Pack what links point to, in place of the links.")
@click.option("--activate-launchplans", "--activate-launch-plans", is_flag=True, help="Activate all launch plans.")
@click.option("--skip-errors", is_flag=True, help="Go on with the other files where one cannot be imported.")
@click.option("--dry-run", is_flag=True, help="Say what would be registered; nothing is sent.")
@click.option("--plan", is_flag=True, help="Show what differs from what is registered; nothing is sent.")
@output_option
def command(sources: tuple[str, ...], output: str, **options: Any) -> None:
    """Register the tasks, workflows and launch plans of files, folders or packages, or an archive of `flyte package`.

    The same code registered again is no change; other code under a version that is there is refused, whole.
    """
    if any(source.endswith((".tgz", ".tar.gz")) for source in sources):
        from flyte_cli.programs.archived import register_archives

        register_archives(sources, options, lambda *found: _report(*found, options=options, output=output))
        return
    skipped: list[dict[str, str]] = []

    def skip(file: Path, error: Exception) -> None:
        skipped.append({"file": str(file), "error": failure(str(file), error).message})

    program = read_program(sources, skip if options["skip_errors"] else None)
    if options["plan"]:
        from flyte_cli.programs.differences import show_differences

        show_differences(_serialized(program, options, None)[1], options["project"], options["domain"], output)
        return
    if options["dry_run"]:
        settings, messages = _serialized(program, options, None)
        _report(messages, {}, settings.version, options=options, output=output, skipped=skipped)
        return
    _register(program, options, skipped, output)


def _register(program: Program, options: dict[str, Any], skipped: list[dict[str, str]], output: str) -> None:
    from flyte_cli.client.remotes import remote

    with remote(options["project"], options["domain"]) as client:
        settings, messages = _serialized(program, options, client)
        plans = [name_of(m) for m in messages if kind_of(m) == "launch plan"] if options["activate_launchplans"] else []
        news: dict[tuple[str, str], bool] = {}

        def done(message: Registrable, is_new: bool) -> None:
            news[kind_of(message), name_of(message)] = is_new

        try:
            client.register_messages(messages, [*plans, *program.plans], done)
        finally:
            _report(messages, news, settings.version, options=options, output=output, skipped=skipped)
    if skipped:
        raise click.ClickException(f"{len(skipped)} of the files could not be imported: {skipped[0]['file']}, …")


def _serialized(
    program: Program, options: dict[str, Any], client: Any
) -> tuple[SerializationSettings, list[Registrable]]:
    """Return settings and messages; the code is sent by ``client``, where there is one."""
    settings = settings_of(options, project=options["project"], domain=options["domain"], version=options["version"])
    copy = COPY["none" if options["non_fast"] else options["copy"]]
    code: Tarball | None = program.pack(copy, deref_symlinks=options["deref_symlinks"])
    location = NOT_SENT
    if code is not None and client is not None:
        location = client.upload_code(code, options["project"], options["domain"])
    settings = settings_with(settings, code, location, options["destination_dir"], root=program.root)
    return settings, messages_of(settings, Options.default_from(options["service_account"], options["raw_data_prefix"]))


def _report(
    messages: list[Registrable],
    news: dict[tuple[str, str], bool],
    version: str | None,
    *,
    options: dict[str, Any],
    output: str,
    skipped: Sequence[dict[str, str]] = (),
) -> None:
    rows = []
    for message in messages:
        key = (kind_of(message), name_of(message))
        status = {True: "registered", False: "unchanged", None: "not registered"}[news.get(key)]
        rows.append({"kind": key[0], "name": key[1], "version": version or "", "status": status})
    if output != "table":
        print_data({"version": version, "entities": rows, "skipped": [*skipped]}, output)
        return
    columns = [(heading.upper(), lambda row, key=heading: row[key]) for heading in ("kind", "name", "status")]
    Table(columns).print(rows)
    click.echo(f"version {version} in {options['project']}/{options['domain']}: {counted(messages)}")
