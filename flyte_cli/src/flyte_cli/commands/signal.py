"""`flyte signal`: answers gates that wait in an execution."""

from __future__ import annotations

import click
from flyteidl.admin.signal_pb2 import Signal
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import SimpleType

from flyte_cli.client.remotes import remote
from flyte_cli.commands.get.signals import VIEW, signals
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import output_option, print_rows
from flyte_core.errors import FailedPrecondition, InvalidInput, NotFound
from flyte_core.literals import type_text
from flyte_kit.core.input_text import value_of_text
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.remote import FlyteRemote


@click.group()
def command() -> None:
    """Answer what an execution waits for: approvals, and values of wait_for_input."""


command.add_command(signals, "list")


@command.command(name="set")
@click.argument("execution", shell_complete=known_executions)
@click.argument("name")
@click.argument("value")
@project_option
@domain_option
@output_option
def set_value(execution: str, name: str, value: str, project: str, domain: str, output: str) -> None:
    """Give the signal NAME of EXECUTION its VALUE: plain text, a date, or JSON, as the signal's type wants it."""
    _set(execution, name, value, project, domain, output)


@command.command()
@click.argument("execution", shell_complete=known_executions)
@click.argument("name")
@project_option
@domain_option
@output_option
def approve(execution: str, name: str, project: str, domain: str, output: str) -> None:
    """Say yes at the gate NAME of EXECUTION."""
    _set(execution, name, "true", project, domain, output, gate=True)


@command.command()
@click.argument("execution", shell_complete=known_executions)
@click.argument("name")
@project_option
@domain_option
@output_option
def reject(execution: str, name: str, project: str, domain: str, output: str) -> None:
    """Say no at the gate NAME of EXECUTION: the node that waits there fails."""
    _set(execution, name, "false", project, domain, output, gate=True)


def _set(execution: str, name: str, value: str, project: str, domain: str, output: str, *, gate: bool = False) -> None:
    with remote(project, domain) as client:
        wanted = execution_id(execution, project, domain)
        found = _find(client, wanted.name, name, wanted.project, wanted.domain)
        if gate and found.type.simple != SimpleType.BOOLEAN:
            raise FailedPrecondition(
                f"signal {name} waits for {type_text(found.type)}, not for an approval: "
                f"`flyte signal set {execution} {name} VALUE`"
            )
        found.value.CopyFrom(_literal(client, found, value))
        client.set_input(name, wanted.name, found.value, wanted.project, wanted.domain)
    print_rows([found], VIEW, output)


def _literal(client: FlyteRemote, signal: Signal, text: str) -> Literal:
    python_type = TypeEngine.guess_python_type(signal.type)
    try:
        value = value_of_text(text, python_type)
    except InvalidInput as error:
        raise InvalidInput(f"{signal.id.signal_id} waits for {type_text(signal.type)}: {error}") from error
    literal: Literal = TypeEngine.to_literal(client.context, value, python_type, signal.type)
    return literal


def _find(client: FlyteRemote, execution: str, name: str, project: str, domain: str) -> Signal:
    """Return a signal of an execution.

    :raises NotFound: if there is no such execution, or no such signal (yet); names those that there are
    """
    client.fetch_execution(project, domain, execution)  # or it says: there is none
    there: list[Signal] = client.list_signals(execution, project, domain)
    for each in there:
        if each.id.signal_id == name:
            return each
    names = ", ".join(each.id.signal_id for each in there) or "none"
    raise NotFound(f"execution {execution} has no signal {name}: no node waits for it yet; there are: {names}")
