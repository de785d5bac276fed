"""Registers archives that `flyte package` or `pyflyte package` have made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from flyte_cli.client.remotes import remote
from flyte_cli.programs.collecting import kind_of, name_of
from flyte_core.errors import InvalidInput
from flyte_kit.registration.archives import DESTINATION, PLACEHOLDERS, REMOTE_CODE, fill, read_archive
from flyte_kit.remote import FlyteRemote
from flyte_kit.remote.uploads import upload
from flyte_kit.serialization.registrable import Registrable

VERSION_LETTERS = 22
Report: TypeAlias = Callable[[list[Registrable], dict[Any, bool], str], None]


def register_archives(sources: Sequence[str], options: dict[str, Any], report: Report) -> None:
    """Register what archives hold; their code is sent first.

    :param report: is called for each archive, with what is in it, what of that is new, and the version
    :raises InvalidInput: if a source is no such archive
    """
    for source in sources:
        path = Path(source)
        digest = hashlib.md5(path.read_bytes() if path.is_file() else b"", usedforsecurity=False)
        _register(path, options["version"] or digest.hexdigest()[:VERSION_LETTERS], options, report)


def _register(path: Path, version: str, options: dict[str, Any], report: Report) -> None:
    messages, code = read_archive(path)
    news: dict[Any, bool] = {}
    if options["dry_run"]:
        report(messages, news, version)
        return
    values = dict(zip(PLACEHOLDERS, (options["project"], options["domain"], version), strict=True))
    with remote(options["project"], options["domain"]) as client:
        if code:
            values |= {REMOTE_CODE: _sent(client, path, code), DESTINATION: options["destination_dir"]}
        for message in messages:
            fill(message, values)
        plans = [name_of(message) for message in messages if kind_of(message) == "launch plan"]
        activated = plans if options["activate_launchplans"] else []
        client.register_messages(messages, activated, lambda m, is_new: news.update({(kind_of(m), name_of(m)): is_new}))
    report(messages, news, version)


def _sent(client: FlyteRemote, path: Path, code: dict[str, bytes]) -> str:
    if len(code) > 1:
        raise InvalidInput(
            f"{path} holds {len(code)} files beside its messages ({', '.join(code)}); wanted is the code alone"
        )
    name, content = next(iter(code.items()))
    where = {"project": client.default_project, "domain": client.default_domain}
    return upload(client.client, content, name=name, **where)[1]
