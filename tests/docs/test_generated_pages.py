"""Pages that are drawn from the code say what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = (
    "draw_state_machine.py",
    "write_checklist.py",
    "write_cli_reference.py",
    "write_compatibility.py",
    "write_hook_reference.py",
    "write_sdk_reference.py",
    "write_settings_reference.py",
)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_page_is_up_to_date(tool: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / tool), "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrun: python tools/{tool}"
