"""The settings of a client, one by one: what each is, and which file or variable says so."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyte_cli.up.settings import default_data_dir
from flyte_kit.configuration import platform
from flyte_kit.configuration.platform import Config, TaskConfig
from flyte_kit.configuration.sources import Setting, Sources, find_file
from flyte_kit.storage import s3_settings

HIDDEN = "***"
_DEFAULTS: Mapping[Setting, Any] = {
    platform.ENDPOINT: None,
    platform.INSECURE: None,
    platform.AUTH_MODE: platform.AuthType.STANDARD.value,
    platform.CONSOLE_ENDPOINT: None,
    platform.PROJECT: TaskConfig.project,
    platform.DOMAIN: TaskConfig.domain,
    platform.CACHE_ENABLED: True,
    platform.CACHE_OVERWRITE: False,
}
"""Settings that are shown though nobody says anything of them → what holds then."""
_SECRET = {platform.CLIENT_SECRET, s3_settings.SECRET_KEY}
_FURTHER_VARIABLES = {platform.PROJECT: "FLYTE_DEFAULT_PROJECT", platform.DOMAIN: "FLYTE_DEFAULT_DOMAIN"}
"""Variables that win over a setting's own."""


def all_settings() -> Sequence[Setting]:
    """Return the settings that commands and the SDK read, in the order in which they are written there."""
    found = [each for module in (platform, s3_settings) for each in vars(module).values() if isinstance(each, Setting)]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Said:
    """What holds for a setting.

    :ivar name: as the YAML file has it; of a setting that it cannot have, the variable
    :ivar value: secrets are hidden
    :ivar source: path of a file, ``$VARIABLE``, or ``default``
    """

    name: str
    value: Any
    source: str


def file_in_use() -> Path | None:
    """Return the configuration file that commands read: a named or known one, else that of a local ``flyte up``.

    :raises flyte_core.errors.ConfigError: if a file that somebody named is missing
    """
    own = default_data_dir() / "config.yaml"
    return find_file() or (own if own.is_file() else None)


def said_settings(file: Path | None) -> Iterator[Said]:
    """Yield what holds: every setting of which somebody says something, and the important ones."""
    sources, of_file = Sources(file, os.environ), Sources(file, {})
    for setting in all_settings():
        variable = _FURTHER_VARIABLES.get(setting, "")
        if not os.environ.get(variable):
            variable = setting.variable
        value = os.environ.get(variable) if variable in os.environ else sources.value(setting)
        if value is not None:
            source = f"${variable}" if variable in os.environ else str(file)
            yield Said(name_of(setting), HIDDEN if setting in _SECRET else value, source)
        elif of_file.value(setting) is None and setting in _DEFAULTS:
            yield Said(name_of(setting), _default(setting, file), "default")


def name_of(setting: Setting) -> str:
    """Return a setting's name in the YAML file; the variable of one that it cannot have."""
    return setting.key or setting.variable


def _default(setting: Setting, file: Path | None) -> Any:
    if setting == platform.INSECURE:
        return Config.auto(file).platform.insecure
    return _DEFAULTS[setting]
