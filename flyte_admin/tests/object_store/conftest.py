"""The endpoint, served over real HTTP, and real boto3 in front of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from s3_endpoint import Endpoint, serve


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with serve(tmp_path_factory.mktemp("object-store")) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(running: Endpoint) -> Endpoint:
    """An endpoint whose buckets are empty."""
    for path in running.root.glob("[!%]*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in running.root.glob("%*/*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for bucket in running.store.buckets:
        running.store.tree.create_bucket(bucket)
    return running


@pytest.fixture(scope="session")
def _client(running: Endpoint) -> Any:
    return running.client()


@pytest.fixture
def s3(endpoint: Endpoint, _client: Any) -> Any:
    return _client
