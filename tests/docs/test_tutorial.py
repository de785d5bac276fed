"""Types the tutorial in, as it is printed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flyte_up import own_server
from reader import Reader

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-workflow.md"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    with own_server(tmp_path / "data", sys.executable) as up:
        assert Reader(tmp_path / "reader", up.data / "config.yaml").read(PAGE) > 8
