"""What is wrong with a client's configuration file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flyte_cli.client.settings import all_settings, name_of
from flyte_core.errors import ConfigError
from flyte_kit.configuration import platform
from flyte_kit.configuration.platform import Config
from flyte_kit.configuration.sources import Setting, Sources
from flyte_kit.core.input_text import read_document
from flyte_kit.storage import s3_settings

_TRUTHS = (
    platform.INSECURE,
    platform.INSECURE_SKIP_VERIFY,
    platform.CACHE_ENABLED,
    platform.CACHE_OVERWRITE,
)
# Keys of flytectl's file that it reads and neither these commands nor the SDK do.
_FLYTECTLS = (
    *(
        f"admin.{key}"
        for key in (
            "authorizationHeader",
            "authorizationServerUrl",
            "defaultServiceConfig",
            "deviceFlowConfig",
            "maxBackoffDelay",
            "maxMessageSizeBytes",
            "maxRetries",
            "perRetryTimeout",
            "pkceConfig",
            "tokenRefreshWindow",
            "tokenUrl",
            "useAudienceFromAdmin",
            "useAuth",
        )
    ),
    "console.insecure",
    "storage",
    "logger",
    "files",
    "images",
    "sdk",
    "root",
    "adminutils",
    "secrets",
    "plugins",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file.

    :ivar grave: whether commands cannot work with it; else it says something that nobody reads
    """

    key: str
    text: str
    grave: bool


def problems_of(file: Path) -> list[Problem]:
    """Return everything that is wrong with a file.

    :raises flyte_core.errors.ConfigError: if it cannot be read at all
    """
    sources = Sources(file, {})
    found = [*_unknown_keys(file), *_wrong_values(sources)]
    if not sources.text(platform.ENDPOINT):
        found.append(Problem("admin.endpoint", "is missing: write for example dns:///flyte.example.com", True))
    if not any(problem.grave for problem in found):
        found += _refused(partial(Config.auto, file))
    return found


def _wrong_values(sources: Sources) -> Iterator[Problem]:
    for setting in _TRUTHS:
        yield from _refused(partial(sources.truth, setting, False), setting)
    store = sources.text(s3_settings.ENDPOINT)
    if store and not store.startswith(("http://", "https://")):
        yield Problem(name_of(s3_settings.ENDPOINT), f"{store!r} is no URL: write http://… or https://…", True)


def _refused(read: Callable[[], object], setting: Setting | None = None) -> list[Problem]:
    try:
        read()
    except ConfigError as error:
        return [Problem(name_of(setting) if setting else "", str(error), True)]
    return []


def _unknown_keys(file: Path) -> Iterator[Problem]:
    if file.suffix not in {".yaml", ".yml"}:
        return
    known = {*_FLYTECTLS, *(each.key for each in all_settings() if each.key)}
    for key in _keys(read_document(file) or {}, ""):
        if key not in known and not any(key.startswith(f"{each}.") for each in _FLYTECTLS):
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.8)
            yield Problem(key, f"nobody reads this; did you mean {near[0]}?" if near else "nobody reads this", False)


def _keys(document: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
