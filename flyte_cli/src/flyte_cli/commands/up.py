"""`flyte up`: everything on this machine."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from flyte_cli.up.progress import Progress
from flyte_cli.up.settings import ImageRule, UpSettings, default_data_dir
from flyte_cli.up.stopping import run_until_signal, stop_plainly
from flyte_core.errors import ConfigError

PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=None, help="Folder for everything that is kept.")
@click.option(
    "--config", type=click.Path(path_type=Path), default=None, help="Settings in YAML; flyte.yaml in the data folder."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--port", type=PORT, default=8089, show_default=True, help="Port of gRPC: flytekit, pyflyte, flytectl.")
@click.option("--http-port", type=PORT, default=8088, show_default=True, help="Port of REST and of the logs of tasks.")
@click.option("--s3-port", type=PORT, default=8087, show_default=True, help="Port of the object store.")
@click.option(
    "--image", "images", multiple=True, metavar="PATTERN=PYTHON", help="Python environment that stands for images."
)
@click.option("--project", "projects", multiple=True, help="Project to create, beside flytesnacks.")
@click.option("-v", "--verbose", is_flag=True, help="Log what the planes do.")
@click.pass_context
def command(
    context: click.Context, /, data: Path | None, config: Path | None, verbose: bool, images: tuple[str, ...], **_: Any
) -> None:
    """Start all of Flyte on this machine, until Ctrl-C.

    Control plane, data plane, object store and a cluster of local processes, on SQLite and files. Nothing else is
    needed: no Docker, no Kubernetes. It listens on loopback only.

    Ctrl-C and SIGTERM end it within five seconds, and running tasks with it: the next start runs those again. A second
    Ctrl-C ends it at once.
    """
    stop_plainly()
    progress = Progress(_say)
    try:
        progress.step("reading the settings")
        given = {
            name: context.params[name]
            for name in ("host", "port", "http_port", "s3_port", "projects")
            if context.get_parameter_source(name) is not ParameterSource.DEFAULT
        }
        given["images"] = [ImageRule.parse(text) for text in images]
        settings = _settings((data or default_data_dir()).expanduser().absolute(), config, given)
        logging.basicConfig(
            level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        run_until_signal(_serve(settings, progress), _say)
    except OSError as error:
        raise ConfigError(f"flyte up cannot go on: {error}") from error
    finally:
        progress.end()


def _settings(data: Path, config: Path | None, given: dict[str, Any]) -> UpSettings:
    from flyte_cli.up.config_file import FILE_NAME, effective, read_config

    file = config.expanduser().absolute() if config else data / FILE_NAME
    if config and not file.exists():
        raise ConfigError(f"--config {config}: there is no such file")
    return effective(data, read_config(file) if file.exists() else {}, given)


async def _serve(settings: UpSettings, progress: Progress) -> None:
    progress.step("importing the planes")
    from flyte_cli.up.compose import running

    async with running(settings, progress.step):
        progress.end()
        click.echo(_banner(settings))
        await asyncio.Event().wait()


def _say(text: str) -> None:
    click.echo(f"flyte: {text}")


def _banner(settings: UpSettings) -> str:
    return (
        f"flyte: gRPC     {settings.grpc_target()}\n"
        f"flyte: REST     {settings.http_url()}/api/v1\n"
        f"flyte: S3       {settings.s3_url()}\n"
        f"flyte: data     {settings.data_dir}\n"
        f"flyte: clients  export FLYTECTL_CONFIG={settings.client_config}\n"
        "flyte: ready"
    )
