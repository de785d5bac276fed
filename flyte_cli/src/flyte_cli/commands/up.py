"""`flyte up`: everything on this machine."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

import click

from flyte_cli.up.settings import ImageRule, UpSettings, default_data_dir


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=None, help="Folder for everything that is kept.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--port", default=8089, show_default=True, help="Port of gRPC: flytekit, pyflyte, flytectl.")
@click.option("--http-port", default=8088, show_default=True, help="Port of REST and of the logs of tasks.")
@click.option("--s3-port", default=8087, show_default=True, help="Port of the object store.")
@click.option(
    "--image", "images", multiple=True, metavar="PATTERN=PYTHON", help="Python environment that stands for images."
)
@click.option("--project", "projects", multiple=True, help="Project to create, beside flytesnacks.")
@click.option("-v", "--verbose", is_flag=True, help="Log what the planes do.")
def command(
    data: Path | None,
    host: str,
    port: int,
    http_port: int,
    s3_port: int,
    images: tuple[str, ...],
    projects: tuple[str, ...],
    verbose: bool,
) -> None:
    """Start all of Flyte on this machine, until Ctrl-C.

    Control plane, data plane, object store and a cluster of local processes, on SQLite and files. Nothing else is
    needed: no Docker, no Kubernetes. It listens on loopback only.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    settings = UpSettings(
        data_dir=(data or default_data_dir()).expanduser().absolute(),
        host=host,
        port=port,
        http_port=http_port,
        s3_port=s3_port,
        images=[ImageRule.parse(text) for text in images],
        projects=("flytesnacks", *projects),
    )
    asyncio.run(_serve(settings))


async def _serve(settings: UpSettings) -> None:
    from flyte_cli.up.compose import running

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with running(settings):
        click.echo(_banner(settings))
        await stopped.wait()
        click.echo("flyte: stopping")


def _banner(settings: UpSettings) -> str:
    return (
        f"flyte: gRPC     {settings.grpc_target()}\n"
        f"flyte: REST     {settings.http_url()}/api/v1\n"
        f"flyte: S3       {settings.s3_url()}\n"
        f"flyte: data     {settings.data_dir}\n"
        f"flyte: clients  export FLYTECTL_CONFIG={settings.client_config}\n"
        "flyte: ready"
    )
