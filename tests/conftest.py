"""`flyte up` as a user starts it, and stock flytekit in an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from flyte_up import Server, Stock, free_ports, start_up


@pytest.fixture(scope="session")
def stock_python() -> str:
    python = os.environ.get("FLYTE_STOCK_PYTHON")
    if not python:
        pytest.skip("FLYTE_STOCK_PYTHON names no environment with stock flytekit: run `nox -s interop`")
    return python


@pytest.fixture(scope="session")
def server(stock_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    up = start_up(tmp_path_factory.mktemp("up") / "data", free_ports(3), stock_python)
    yield up
    assert up.stop() == 0


@pytest.fixture(scope="session")
def stock(stock_python: str, server: Server) -> Stock:
    return Stock(stock_python, server)


@pytest.fixture(scope="session")
def registered(stock: Stock) -> str:
    """Register the programs once and return their version."""
    stock.pyflyte("register", "-p", "flytesnacks", "-d", "development", "--version", "v1", "behaviours.py")
    return "v1"
