"""The configuration file and the environment, setting by setting, under the names that flytekit and flytectl use.

A file is YAML (``~/.flyte/config.yaml``, flytectl's) or ini (``~/.flyte/config``, flytekit's older one). The
environment wins over the file: ``FLYTE_<SECTION>_<OPTION>`` of the ini form.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from flyte_core.errors import ConfigError
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import configparser
    import pathlib
else:
    pathlib = deferred("pathlib")
    configparser = deferred("configparser")

_TRUE = {"1", "true", "yes", "y", "t", "on"}
_FALSE = {"0", "false", "no", "n", "f", "off", ""}


class Setting(NamedTuple):
    """One setting by its three names.

    :ivar section: of the ini file
    :ivar option: in that section
    :ivar key: dotted path in the YAML file; None where it has none
    """

    section: str
    option: str
    key: str | None

    @property
    def variable(self) -> str:
        """Name in the environment."""
        return f"FLYTE_{self.section}_{self.option}".upper()


class Sources:
    """What is said of settings in one file and one environment.

    :param file: None without a file
    :raises ConfigError: if the file cannot be read
    """

    def __init__(self, file: pathlib.Path | None, environment: Mapping[str, str]) -> None:
        self.file = file
        self._environment = environment
        self._is_yaml = file is not None and file.suffix in {".yaml", ".yml"}
        self._document: Mapping[str, Any] = {}
        if file is not None:
            self._document = _yaml_document(file) if self._is_yaml else _ini_document(file)

    def value(self, setting: Setting) -> Any:
        """Return what is said: text from the environment or an ini file, any value from YAML; None if nothing is."""
        if setting.variable in self._environment:
            return self._environment[setting.variable]
        if not self._is_yaml:
            return self.section(setting.section).get(setting.option)
        return _at(self._document, setting.key) if setting.key else None

    def text(self, setting: Setting) -> str | None:
        """Return a text; None where nothing, or nothing but an empty text, is said."""
        found = self.value(setting)
        return None if found is None or found == "" else str(found)

    def words(self, setting: Setting) -> list[str]:
        """Return a list: YAML's, or a text with commas; a YAML text is one word."""
        found = self.value(setting)
        if isinstance(found, list):
            return [str(each) for each in found]
        if not found:
            return []
        return [word.strip() for word in str(found).split(",") if word.strip()]

    def truth(self, setting: Setting, default: bool) -> bool:
        """Return a yes or no.

        :raises ConfigError: naming the setting that says neither
        """
        return boolean(setting.variable, self.value(setting), default)

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a whole section of the file; empty where it has none.

        :raises ConfigError: if it is something else
        """
        found = self._document.get(name) or {}
        if not isinstance(found, Mapping):
            raise ConfigError(f"{self.file}: {name} must be a section, not {found!r}")
        return found


def boolean(name: str, text: str | bool | None, default: bool) -> bool:
    """Read a yes or no.

    :raises ConfigError: naming the setting
    """
    if text is None:
        return default
    word = str(text).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ConfigError(f"{name} must be true or false, not {text!r}")


def find_file(given: str | os.PathLike[str] | None = None) -> pathlib.Path | None:
    """Return the configuration file: ``given``, else that of ``FLYTECTL_CONFIG``, else the first known one that is
    there.

    :raises ConfigError: if a file that somebody named is missing
    """
    named = given or os.environ.get("FLYTECTL_CONFIG")
    if named:
        path = pathlib.Path(named)
        if not path.is_file():
            raise ConfigError(f"the configuration file {path} does not exist")
        return path
    home = pathlib.Path.home() / ".flyte"
    return next(
        (p for p in (pathlib.Path("flytekit.config"), home / "config", home / "config.yaml") if p.is_file()), None
    )


def _at(document: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(document, Mapping):
            return None
        document = document.get(part)
    return document


def _ini_document(file: pathlib.Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file)
    except configparser.Error as error:
        raise ConfigError(f"{file} is no ini file: {error}") from error
    return {name: dict(parser[name]) for name in parser.sections()}


def _yaml_document(file: pathlib.Path) -> Mapping[str, Any]:
    if importlib.util.find_spec("yaml") is None:
        raise ConfigError(f"reading {file} needs PyYAML: pip install pyyaml")
    yaml = importlib.import_module("yaml")
    try:
        document = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is no YAML file: {error}") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    if not isinstance(document, Mapping):
        raise ConfigError(f"{file} must hold sections such as admin:, not {document!r}")
    return document
