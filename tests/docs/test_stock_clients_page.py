"""Types the page about stock clients in, with stock flytekit."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyte_up import own_server
from reader import Reader

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]
PAGE = Path(__file__).parents[2] / "docs" / "howto" / "use-stock-clients.md"


def test_stock_clients_do_what_the_page_says(stock_python: str, tmp_path: Path) -> None:
    with own_server(tmp_path / "data", stock_python) as up:
        paths = [str(Path(stock_python).parent)]
        assert Reader(tmp_path / "reader", up.data / "config.yaml", stock_python, paths).read(PAGE) > 5
