"""Registered tasks, workflows and launch plans as commands whose options are their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from flyteidl.core.identifier_pb2 import ResourceType

from flyte_cli.client.remotes import remote
from flyte_cli.options.urns import entity_id, urn_prefix
from flyte_cli.programs.input_options import given_inputs, input_options, required_inputs, with_defaults
from flyte_cli.programs.launch_options import LaunchOptions
from flyte_cli.programs.remote_run import start
from flyte_cli.showing.literal_values import literal_text
from flyte_core.errors import NotFound
from flyte_kit.exceptions.user import FlyteEntityNotExistException
from flyte_kit.remote import FlyteLaunchPlan, FlyteRemote

MOST_NAMES = 50
KINDS = {
    "task": ResourceType.TASK,
    "workflow": ResourceType.WORKFLOW,
    "launch-plan": ResourceType.LAUNCH_PLAN,
}


class RegisteredGroup(click.Group):
    """What is registered, by ``NAME`` or ``NAME:VERSION``.

    :param kind: key of :data:`KINDS`
    :param options: returns the options of the command around it
    """

    def __init__(self, kind: str, options: Callable[[], dict[str, Any]], **more: Any) -> None:
        super().__init__(help=f"Run a registered {kind.replace('-', ' ')}: NAME or NAME:VERSION.", **more)
        self._kind, self._options = kind, options

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names that are registered, the first ones of many."""
        options = self._options()
        with remote(options["project"], options["domain"]) as client:
            found = client.client.list_names(KINDS[self._kind], options["project"], options["domain"], MOST_NAMES)
            return [each.name for each in found]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names only: what each takes is asked of the server when one is named."""
        with formatter.section("Registered"):
            formatter.write_dl([(name, "") for name in self.list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Return the command that launches one."""
        return registered_command(self._kind, cmd_name, self._options())


def registered_command(kind: str, text: str, options: dict[str, Any]) -> click.Command:
    """Return the command that launches a registered entity.

    :param text: ``NAME``, ``NAME:VERSION`` or a URN
    :param options: of the command around it
    :raises NotFound: if there is none
    """
    with remote(options["project"], options["domain"]) as client:
        entity = fetch(client, kind, text)
    interface = entity.python_interface
    parameters = entity.message.closure.expected_inputs.parameters if isinstance(entity, FlyteLaunchPlan) else {}
    defaults = {name: literal_text(each.default) for name, each in parameters.items() if each.HasField("default")}
    is_plan = isinstance(entity, FlyteLaunchPlan)
    required = frozenset(entity.required_inputs) if is_plan else required_inputs(interface)

    def launch(**values: Any) -> None:
        asked = LaunchOptions.of(options)
        inputs = given_inputs(interface, values, asked.inputs_file, required)
        with remote(options["project"], options["domain"]) as client:
            start(client, entity, inputs if is_plan else with_defaults(interface, inputs), asked, None)

    return click.Command(
        text,
        params=input_options(interface, defaults, required),
        callback=launch,
        help=f"Run the {kind.replace('-', ' ')} {entity.name} {entity.version}.",
    )


def fetch(client: FlyteRemote, kind: str, text: str) -> Any:
    """Return a registered entity; without a version the newest, of launch plans the active one where there is one.

    :raises NotFound: if there is none
    """
    name, _, version = (text, "", "") if urn_prefix(text) else text.partition(":")
    wanted = entity_id(KINDS[kind], name, client.default_project, client.default_domain, version)
    where = {"project": wanted.project, "domain": wanted.domain, "name": wanted.name}
    try:
        if wanted.resource_type == ResourceType.TASK:
            return client.fetch_task(**where, version=wanted.version or None)
        if wanted.resource_type == ResourceType.WORKFLOW:
            workflow = client.fetch_workflow(**where, version=wanted.version or None)
            return client.fetch_launch_plan(**where, version=workflow.version)
        if not wanted.version:
            active = client.fetch_active_launchplan(**where)
            if active is not None:
                return active
        return client.fetch_launch_plan(**where, version=wanted.version or None)
    except FlyteEntityNotExistException as error:
        noun = kind.replace("-", " ")
        raise NotFound(
            f"no {noun} {text} is registered in {wanted.project}/{wanted.domain}; `flyte get {kind}s` lists them"
        ) from error
