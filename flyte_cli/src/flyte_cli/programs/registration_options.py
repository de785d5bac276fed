"""Options of a registration, of `flyte run`, `register` and `package`, and the settings that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from flyte_cli.programs.pairs import pairs_of
from flyte_core.errors import InvalidInput
from flyte_kit.configuration.images import ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.resources import Resources, ResourceSpec
from flyte_kit.registration.sources import CopyFileDetection

F = TypeVar("F", bound=Callable[..., Any])
COPY = {
    "auto": CopyFileDetection.LOADED_MODULES,
    "all": CopyFileDetection.ALL,
    "none": CopyFileDetection.NO_COPY,
}


image_option = click.option(
    "-i",
    "--image",
    "images",
    multiple=True,
    metavar="[NAME=]IMAGE",
    help="Image of tasks that name none; NAME=IMAGE for those that say {{.image.NAME}}; many.",
)


def registration_options(*copies: str) -> Sequence[Callable[[F], F]]:
    """Return the options in the order of the help page.

    :param copies: choices of ``--copy``, the default first
    """
    return (
        image_option,
        click.option(
            "--copy",
            type=click.Choice(copies),
            default=copies[0],
            show_default=True,
            help="Code that goes along: of the modules that are imported (auto), all files (all), nothing (none).",
        ),
        click.option(
            "-D",
            "--destination-dir",
            "--destination-directory",
            default=".",
            show_default=True,
            help="Folder of the code in the container.",
        ),
        click.option("--resource-requests", default="", metavar="cpu=1,mem=1Gi", help="Of tasks that ask for none."),
        click.option("--resource-limits", default="", metavar="cpu=1,mem=1Gi", help="Of tasks that state none."),
    )


def settings_of(
    options: Mapping[str, Any], *, project: str, domain: str, version: str | None = None
) -> SerializationSettings:
    """Return the settings of a registration.

    :param options: what :func:`registration_options` and ``--env`` gave
    :raises click.BadParameter: naming a resource that there is not, or a pair that is none
    :raises InvalidInput: if an image is none
    """
    requests = resources_of(options["resource_requests"], "--resource-requests")
    limits = resources_of(options["resource_limits"], "--resource-limits")
    return SerializationSettings(
        ImageConfig.validate_image(tuple(options["images"])),
        project=project,
        domain=domain,
        version=version,
        env=pairs_of(options["env"], "--env") or None,
        default_resources=ResourceSpec(requests or Resources(), limits or Resources()) if requests or limits else None,
    )


def resources_of(text: str, option: str) -> Resources | None:
    """Read ``cpu=1,mem=1Gi``; None for nothing.

    :raises click.BadParameter: naming the option
    """
    if not text:
        return None
    pairs = pairs_of(text.split(","), option)
    if "memory" in pairs:
        pairs["mem"] = pairs.pop("memory")
    try:
        return Resources(**pairs)
    except (TypeError, InvalidInput) as error:
        raise click.BadParameter(
            f"{text!r}: {error}; write for example cpu=1,mem=1Gi,gpu=1,ephemeral_storage=5Gi", param_hint=option
        ) from error
