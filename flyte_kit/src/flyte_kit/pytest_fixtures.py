"""Fixtures for users' own tests; pytest finds them by itself once the SDK is installed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager
from flyte_kit.core.data_persistence import FileAccessProvider
from flyte_kit.core.execution_parameters import ExecutionParameters
from flyte_kit.core.secrets import SecretsManager


@pytest.fixture
def flyte_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlyteContext]:
    """Keep what local runs of this test write below ``tmp_path``, and begin with an empty cache.

    It gives the context of those runs; ``flyte_sandbox.file_access.raw_output_prefix`` is where their files go.
    """
    root = tmp_path / "flyte"
    monkeypatch.setenv("FLYTE_LOCAL_CACHE_DIR", str(root / "cache"))
    before = FlyteContextManager.current_context()
    files = FileAccessProvider(root / "sandbox", str(root / "raw"))
    parameters = ExecutionParameters(tmp_dir=str(root / "user"), raw_output_prefix=files.raw_output_prefix)
    state = before.new_execution_state(root / "work").with_params(user_space_params=parameters)
    with FlyteContextManager.with_context(
        dataclasses.replace(before, file_access=files, execution_state=state)
    ) as context:
        yield context


@pytest.fixture
def flyte_secret(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Give a secret to the tasks of this test: ``flyte_secret("group", "key", "value")``."""

    def give(group: str, key: str, value: str) -> None:
        monkeypatch.setenv(SecretsManager().get_secrets_env_var(group, key), value)

    return give
