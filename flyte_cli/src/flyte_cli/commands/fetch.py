"""`flyte fetch`: inputs and outputs, printed or copied here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetDataRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal, LiteralMap
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.dataproxy_pb2 import (
    ARTIFACT_TYPE_DECK,
    CreateDownloadLinkRequest,
    GetDataRequest,
    GetDataResponse,
    PreSignedURLs,
)
from flyteidl.service.dataproxy_pb2_grpc import DataProxyServiceStub

from flyte_cli.client.connection import CALL_SECONDS, connected, find_endpoint
from flyte_cli.client.web_reading import open_url
from flyte_cli.executions.node_tree import node_executions
from flyte_cli.executions.reading import get_execution
from flyte_cli.options.completion_values import executions
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.documents import print_description
from flyte_cli.showing.literal_values import plain, plain_map
from flyte_cli.showing.output import output_option
from flyte_core.errors import NotFound, Unavailable

SCHEME = "flyte://"
_NOUNS = {"i": "inputs", "o": "outputs"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was asked for.

    :ivar values: by name: ``inputs``, ``outputs``, or that of one variable
    :ivar decks: web pages, by node
    """

    values: Mapping[str, Literal | LiteralMap] = field(default_factory=dict)
    decks: Mapping[str, bytes] = field(default_factory=dict)


@click.command()
@click.argument("what", shell_complete=executions)
@click.argument("to", required=False, type=click.Path(path_type=Path))
@project_option
@domain_option
@click.option("-r", "--recursive", is_flag=True, hidden=True)  # pyflyte's; folders are always copied whole
@output_option
def command(what: str, to: Path | None, project: str, domain: str, recursive: bool, output: str) -> None:
    """Print the inputs and outputs of WHAT, an execution or a `flyte://` address; with TO copy them into that folder.

    Copied are the values (as JSON), the files, folders and tables that they refer to, and decks. An address is
    `flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE[/ATTEMPT]/i|o|d[/VARIABLE]`: inputs, outputs, deck.
    """
    endpoint = find_endpoint()
    with connected(endpoint) as channel:
        proxy = DataProxyServiceStub(channel)
        if what.startswith(SCHEME):
            found = _of_address(proxy, what)
        else:
            wanted = execution_id(what, project, domain)
            found = _of_execution(AdminServiceStub(channel), proxy, wanted, with_decks=to is not None)
    if to is None:
        if found.decks:
            raise click.UsageError("a deck is a web page: give TO, the folder to write it to")
        if not any(value.ByteSize() for value in found.values.values()):
            click.echo(f"{what}: there are no values", err=True)
        print_description({name: _plain(value) for name, value in found.values.items()}, output)
        return
    print_description({"written": [str(path) for path in _write(found, to, project, domain)]}, output)


def _plain(value: Literal | LiteralMap) -> Any:
    return plain_map(value) if isinstance(value, LiteralMap) else plain(value)


def _of_execution(
    stub: AdminServiceStub, proxy: DataProxyServiceStub, wanted: WorkflowExecutionIdentifier, *, with_decks: bool
) -> Fetched:
    get_execution(stub, wanted)
    data = stub.GetExecutionData(WorkflowExecutionGetDataRequest(id=wanted), timeout=CALL_SECONDS)
    decks = {}
    if with_decks:
        for row in node_executions(stub, wanted):
            if row.closure.deck_uri:
                request = CreateDownloadLinkRequest(artifact_type=ARTIFACT_TYPE_DECK, node_execution_id=row.id)
                urls = proxy.CreateDownloadLink(request, timeout=CALL_SECONDS).pre_signed_urls
                decks[row.id.node_id] = _content(urls, f"the deck of {row.id.node_id}")
    return Fetched({"inputs": data.full_inputs, "outputs": data.full_outputs}, decks)


def _of_address(proxy: DataProxyServiceStub, address: str) -> Fetched:
    answer: GetDataResponse = proxy.GetData(GetDataRequest(flyte_url=address), timeout=CALL_SECONDS)
    parts = address.rstrip("/").split("/")
    match answer.WhichOneof("data"):
        case "literal":
            return Fetched({parts[-1]: answer.literal})
        case "literal_map":
            return Fetched({_NOUNS[parts[-1]]: answer.literal_map})
        case "pre_signed_urls" if parts[-1] == "d":
            return Fetched(decks={parts[6]: _content(answer.pre_signed_urls, address)})
        case "pre_signed_urls":  # literals that are too large for an answer
            return Fetched({_NOUNS[parts[-1]]: LiteralMap.FromString(_content(answer.pre_signed_urls, address))})
        case _:
            raise NotFound(f"{address}: there is nothing")


def _content(urls: PreSignedURLs, what: str) -> bytes:
    """Return an object that a signed URL leads to; the URL is a key, and not shown."""
    if not urls.signed_url:
        raise NotFound(f"{what}: the server gives no address to read it at")
    try:
        with open_url(urls.signed_url[0]) as answer:
            body: bytes = answer.read()
    except OSError as error:
        raise Unavailable(f"{what} cannot be read: {getattr(error, 'reason', error)}") from error
    return body


def _write(found: Fetched, to: Path, project: str, domain: str) -> Iterator[Path]:
    """Write values, then what they refer to, then decks; yield the files and folders."""
    from flyte_cli.client.remotes import remote

    to.mkdir(parents=True, exist_ok=True)
    for name, value in found.values.items():
        file = to / f"{name}.json"
        file.write_text(json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")
        yield file
        if has_data(value):
            with remote(project, domain) as client:
                client.download(value, str(to / name))
            yield to / name
    for node, page in found.decks.items():
        file = to / "decks" / f"{node}.html"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(page)
        yield file


def has_data(value: Literal | LiteralMap) -> bool:
    """Tell whether a value refers to files, folders or tables."""
    if isinstance(value, LiteralMap):
        return any(map(has_data, value.literals.values()))
    match value.WhichOneof("value"):
        case "collection":
            return any(map(has_data, value.collection.literals))
        case "map":
            return has_data(value.map)
        case "scalar" if value.scalar.WhichOneof("value") == "union":
            return has_data(value.scalar.union.value)
        case "scalar":
            return value.scalar.WhichOneof("value") in ("blob", "structured_dataset", "schema")
        case _:
            return False
