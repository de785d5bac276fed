"""Options of an execution, of `flyte run` and `flyte execute`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from flyte_cli.options.moments import duration
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.programs.pairs import pairs_of
from flyte_cli.showing.output import output_option

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What was asked for beside the inputs; None or empty where nothing was."""

    project: str
    domain: str
    name: str | None
    wait: bool
    timeout: Any
    inputs_file: str
    output: str
    service_account: str | None
    overwrite_cache: bool
    interruptible: bool | None
    env: dict[str, str]
    tags: list[str]
    labels: dict[str, str]
    annotations: dict[str, str]
    raw_output_data_prefix: str | None
    max_parallelism: int | None
    disable_notifications: bool
    cluster_pool: str | None
    execution_cluster_label: str | None

    @classmethod
    def of(cls, values: dict[str, Any]) -> LaunchOptions:
        """Take what the options gave.

        :raises click.BadParameter: naming a pair that is none
        """
        known = {name: values[name] for name in cls.__dataclass_fields__}
        known |= {name: pairs_of(values[name], f"--{name}") for name in ("env", "labels", "annotations")}
        return cls(**{**known, "tags": list(values["tags"])})


def launch_options() -> Sequence[Callable[[F], F]]:
    """Return the options in the order of the help page."""
    return (
        project_option,
        domain_option,
        click.option("--name", help="Name of the execution; where there is one of that name, it is that one."),
        click.option(
            "-f",
            "--follow",
            "--wait",
            "wait",
            is_flag=True,
            help="Show the nodes until it ends; exit code by its phase.",
        ),
        click.option("--timeout", type=duration, help="With --follow: no longer than this (90, 1h30m)."),
        click.option("--inputs-file", default="", metavar="FILE", help="Inputs as JSON or YAML; - for standard input."),
        output_option,
        click.option("--service-account", "--kube-service-account", help="Kubernetes service account of its pods."),
        click.option("--overwrite-cache", is_flag=True, help="Run cached tasks too, and replace what the cache holds."),
        click.option("--interruptible", type=bool, help="Whether its tasks may be preempted (true, false)."),
        click.option("--env", "--envvars", multiple=True, metavar="KEY=VALUE", help="Variable of its tasks; many."),
        click.option("--tag", "--tags", "tags", multiple=True, help="Tag; many."),
        click.option("--labels", "--label", multiple=True, metavar="KEY=VALUE", help="Label of its resources; many."),
        click.option("--annotations", "--annotation", multiple=True, metavar="KEY=VALUE", help="Annotation; many."),
        click.option(
            "--raw-output-data-prefix", "--raw-data-prefix", help="Where the data of its tasks goes (s3://…)."
        ),
        click.option("--max-parallelism", type=click.IntRange(0), help="Nodes at the same time."),
        click.option("--disable-notifications", is_flag=True, help="Send none of the launch plan's notifications."),
        click.option("--cluster-pool", help="Name of a cluster pool."),
        click.option("--execution-cluster-label", help="Label of the clusters that it may run on."),
    )


def with_options(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """Return a decorator that adds options in order."""

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add
