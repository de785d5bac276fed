"""Secrets of a task: where they are found at run time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, overload

from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import pathlib
else:
    pathlib = deferred("pathlib")

SECRETS_ENV_PREFIX = "_FSEC_"
SECRETS_DIR = "/etc/secrets"


class SecretsManager:
    """Finds secrets in environment variables and files.

    ``FLYTE_SECRETS_ENV_PREFIX``, ``FLYTE_SECRETS_DEFAULT_DIR`` and ``FLYTE_SECRETS_FILE_PREFIX`` change where it looks.

    :param env_prefix: of the variables
    :param base_dir: of the files
    :param file_prefix: of the files' names
    """

    def __init__(
        self, secrets_cfg: object = None, env_prefix: str = "", base_dir: str = "", file_prefix: str | None = None
    ) -> None:
        self._env_prefix = env_prefix or os.environ.get("FLYTE_SECRETS_ENV_PREFIX", SECRETS_ENV_PREFIX)
        self._base_dir = base_dir or os.environ.get("FLYTE_SECRETS_DEFAULT_DIR", SECRETS_DIR)
        self._file_prefix = file_prefix if file_prefix is not None else os.environ.get("FLYTE_SECRETS_FILE_PREFIX", "")

    def __getattr__(self, item: str) -> _SecretGroup:
        if item.startswith("__"):
            raise AttributeError(item)
        return _SecretGroup(item, self)

    @overload
    def get(self, group: str | None = ..., key: str | None = ..., group_version: str | None = ...) -> str: ...

    @overload
    def get(
        self, group: str | None = ..., key: str | None = ..., group_version: str | None = ..., *, encode_mode: str
    ) -> str | bytes: ...

    def get(
        self,
        group: str | None = None,
        key: str | None = None,
        group_version: str | None = None,
        encode_mode: str = "r",
    ) -> str | bytes:
        """Return a secret: from its variable, else from its file; on a local run also from a variable without prefix.

        :param encode_mode: ``rb`` for bytes, of a file
        :raises ValueError: if it is nowhere; the message names where it was looked for
        """
        if not group and not key:
            raise ValueError("secrets group and secrets key are not both empty: pass at least one")
        variable = self.get_secrets_env_var(group, key, group_version)
        path = self.get_secrets_file(group, key, group_version)
        if variable in os.environ:
            return os.environ[variable].strip()
        if os.path.exists(path):
            return pathlib.Path(path).read_bytes() if encode_mode == "rb" else pathlib.Path(path).read_text().strip()
        plain = self._joined(group, key, group_version)
        if "FLYTE_INTERNAL_EXECUTION_ID" not in os.environ and plain in os.environ:
            return os.environ[plain].strip()
        raise ValueError(
            f"Unable to find secret for key {key} in group {group}: neither the variable {variable} nor the file "
            f"{path} is there. Ask for it with secret_requests of the task."
        )

    def get_secrets_env_var(
        self, group: str | None = None, key: str | None = None, group_version: str | None = None
    ) -> str:
        """Return the name of a secret's variable."""
        return self._env_prefix + self._joined(group, key, group_version)

    def get_secrets_file(
        self, group: str | None = None, key: str | None = None, group_version: str | None = None
    ) -> str:
        """Return the path of a secret's file."""
        parts = [part for part in (group, group_version, key) if part]
        parts[-1] = f"{self._file_prefix}{parts[-1]}"
        return os.path.join(self._base_dir, *[part.lower() for part in parts])

    @staticmethod
    def _joined(group: str | None, key: str | None, group_version: str | None) -> str:
        return "_".join(part.upper() for part in (group, group_version, key) if part)


class _SecretGroup:
    def __init__(self, name: str, secrets: SecretsManager) -> None:
        self._name, self._secrets = name, secrets

    def __getattr__(self, item: str) -> str:
        if item.startswith("__"):
            raise AttributeError(item)
        return str(self._secrets.get(self._name, item))
