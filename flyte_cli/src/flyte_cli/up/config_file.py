"""The configuration file of ``flyte up``: YAML whose every mistake is answered with file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from flyte_admin.notifications.smtp import SECURITY, SmtpSettings
from flyte_cli.up.settings import DEFAULT_PROJECTS, ImageRule, UpSettings, check_loopback
from flyte_core.errors import ConfigError

FILE_NAME = "flyte.yaml"
"""Name of the file that is read from the data folder where no other is given."""
HIGHEST_PORT = 65535


def read_config(path: Path) -> dict[str, Any]:
    """Return the settings that the file gives: names and values of :class:`flyte_cli.up.settings.UpSettings`.

    ``images`` are in the order of the file, and relative paths in it are from the file's folder. An empty file gives
    none. YAML is read without tags that make objects.

    :raises flyte_core.errors.ConfigError: naming file, line and key of the first mistake
    """
    loader = None
    try:
        loader = yaml.SafeLoader(path.read_text())
        document = loader.get_single_node()
        if document is None:
            return {}
        return {**_File(path, loader).settings(document), "config_file": path}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: this is not YAML: {error.problem}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: it cannot be read: {error}") from error
    finally:
        if loader is not None:
            loader.dispose()


def effective(data_dir: Path, file: Mapping[str, Any], command_line: Mapping[str, Any]) -> UpSettings:
    """Return the settings of data folder, file and command line; the command line wins.

    Images of the command line are looked at first, and projects of both are made.

    :param command_line: only what was given there
    """
    together = {**file, **command_line}
    for name in ("images", "projects"):
        together[name] = (*command_line.get(name, ()), *file.get(name, ()))
    together["projects"] = tuple(dict.fromkeys((*DEFAULT_PROJECTS, *together["projects"])))
    return UpSettings(data_dir=data_dir, **together)


class _File:
    """A file that is being read.

    :param loader: makes values of nodes
    """

    def __init__(self, path: Path, loader: yaml.SafeLoader) -> None:
        self._path = path
        self._loader = loader

    def settings(self, document: yaml.Node) -> dict[str, Any]:
        """Return the settings of the whole file."""
        known: Mapping[str, Callable[[str, yaml.Node], Any]] = {
            "host": self._host,
            "port": self._port,
            "http_port": self._port,
            "s3_port": self._port,
            "images": self._images,
            "projects": self._projects,
            "mail": self._mail,
            "plugins": self._plugins,
        }
        return self._section("", document, known)

    def _section(
        self, section: str, document: yaml.Node, known: Mapping[str, Callable[[str, yaml.Node], Any]]
    ) -> dict[str, Any]:
        """Return the values of a mapping whose keys are known, each read in its own way."""
        found: dict[str, Any] = {}
        for key, node in self._pairs(section, document).items():
            path = f"{section}.{key}" if section else key
            if key not in known:
                near = difflib.get_close_matches(key.replace("-", "_"), known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"keys are {', '.join(known)}"
                self._refuse(self._key_node(document, key), f"there is no key {path!r}: {hint}")
            found[key] = known[key](path, node)
        return found

    def _mail(self, key: str, node: yaml.Node) -> SmtpSettings:
        known: Mapping[str, Callable[[str, yaml.Node], Any]] = {
            "host": self._text,
            "sender": self._text,
            "port": self._port,
            "security": self._text,
            "user": self._text,
            "password_env": self._text,
        }
        given = self._section(key, node, known)
        for name in ("host", "sender"):
            if name not in given:
                self._refuse(node, f"{key}: {name} is missing")
        if given.get("security", "tls") not in SECURITY:
            self._refuse(node, f"{key}.security: give one of {', '.join(SECURITY)}")
        return SmtpSettings(**given)

    def _host(self, key: str, node: yaml.Node) -> str:
        host = self._text(key, node)
        try:
            check_loopback(host, key)
        except ConfigError as error:
            self._refuse(node, str(error))
        return host

    def _port(self, key: str, node: yaml.Node) -> int:
        value = self._value(node)
        if type(value) is not int or not 1 <= value <= HIGHEST_PORT:
            self._refuse(node, f"{key}: {value!r} is no port; give a number from 1 to {HIGHEST_PORT}")
        return value

    def _images(self, key: str, node: yaml.Node) -> list[ImageRule]:
        rules = []
        for pattern, value in self._pairs(key, node).items():
            where = self._text(f"{key}.{pattern}", value)
            try:
                rules.append(ImageRule.make(pattern, str(self._path.parent / Path(where).expanduser())))
            except ConfigError as error:
                self._refuse(value, f"{key}.{pattern}: {error}")
        return rules

    def _projects(self, key: str, node: yaml.Node) -> list[str]:
        if not isinstance(node, yaml.SequenceNode):
            self._refuse(node, f"{key}: give a list of names")
        return [self._text(key, item) for item in node.value]

    def _plugins(self, key: str, node: yaml.Node) -> dict[str, Any]:
        self._pairs(key, node)
        value: dict[str, Any] = self._value(node)
        return value

    def _text(self, key: str, node: yaml.Node) -> str:
        value = self._value(node)
        if not isinstance(value, str) or not value:
            self._refuse(node, f"{key}: {value!r} is no text")
        return value

    def _pairs(self, key: str, node: yaml.Node) -> dict[str, yaml.Node]:
        """Return the values of a mapping by key; what is there twice is refused."""
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, f"{key or 'the file'}: give keys and values (key: value)")
        pairs: dict[str, yaml.Node] = {}
        for name_node, value in node.value:
            name = self._text(f"a key of {key}" if key else "a key", name_node)
            if name in pairs:
                self._refuse(name_node, f"{name!r} is given twice")
            pairs[name] = value
        return pairs

    def _key_node(self, document: yaml.Node, key: str) -> yaml.Node:
        found: yaml.Node = next(name for name, _ in document.value if name.value == key)
        return found

    def _value(self, node: yaml.Node) -> Any:
        return self._loader.construct_document(node)

    def _refuse(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigError(f"{self._path}:{node.start_mark.line + 1}: {message}")
