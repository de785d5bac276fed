"""`flyte plugins` and `flyte doctor`: what they say is true, and the fix is one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flyte_cli", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def finding(printed: str, name: str) -> tuple[str, str]:
    """Return a finding's line, and the line after it."""
    lines = [*printed.splitlines(), ""]
    [index] = [index for index, line in enumerate(lines) if f" {name}: " in line]
    return lines[index], lines[index + 1]


def broken_plugin(folder: Path) -> None:
    """Install a plugin that cannot be imported, and one for a version of flyte-core that there is not."""
    for name, requires in (("cracked", "flyte-core"), ("futuristic", "flyte-core>=99")):
        info = folder / f"flyte_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: flyte-{name}\nVersion: 1.0\nRequires-Dist: {requires}\n"
        )
        (info / "entry_points.txt").write_text(
            f"[flyte.plugins]\n{name} = no_such_module_{name}\n[flyte.task_types]\n{name}-job = {name}\n"
        )


def test_the_package_for_a_task_type_is_named_without_a_command_that_may_fail() -> None:
    done = run("plugins", "why", "spark")
    assert done.returncode == 1
    assert "flyte-plugin-spark serves it: install it" in done.stdout
    assert "pip install" not in done.stdout


def test_a_plugin_that_is_switched_off_is_not_called_broken() -> None:
    done = run("doctor", FLYTE_PLUGINS_DISABLED="file, pod", FLYTE_PLATFORM_URL="127.0.0.1:1")
    line, fix = finding(done.stdout, "plugin pod")
    assert line.startswith("off ")
    assert fix.strip() == "fix: to use it, take pod out of FLYTE_PLUGINS_DISABLED"
    line, fix = finding(done.stdout, "Python tasks")
    assert line.startswith("bad ")
    assert fix.strip() == "fix: to use it, take pod out of FLYTE_PLUGINS_DISABLED"


def test_all_plugins_switched_off_with_a_star() -> None:
    done = run("doctor", FLYTE_PLUGINS_DISABLED="*", FLYTE_PLATFORM_URL="127.0.0.1:1")
    assert finding(done.stdout, "plugin pod")[1].strip() == "fix: to use it, take * out of FLYTE_PLUGINS_DISABLED"


def test_broken_and_refused_plugins_get_a_fix_each(tmp_path: Path) -> None:
    broken_plugin(tmp_path)
    done = run("doctor", PYTHONPATH=str(tmp_path), FLYTE_PLATFORM_URL="127.0.0.1:1")
    assert done.returncode == 1
    line, fix = finding(done.stdout, "plugin cracked")
    assert line.startswith("bad ")
    assert "pip install --upgrade flyte-cracked" in fix
    assert "FLYTE_PLUGINS_DISABLED=cracked" in fix
    line, fix = finding(done.stdout, "plugin futuristic")
    assert line.startswith("bad ")
    assert "flyte-core" in line
    assert "install a version of flyte-futuristic that fits, or pip uninstall flyte-futuristic" in fix
    assert "Traceback" not in done.stderr


def test_the_data_folder_is_that_of_the_server(up) -> None:
    line, _ = finding(up.flyte("doctor"), "data folder")
    assert f" {up.server.data} has " in line


def test_without_a_server_it_is_the_folder_that_would_be_used(tmp_path: Path) -> None:
    done = run("doctor", FLYTE_DATA=str(tmp_path / "mine"), FLYTECTL_CONFIG="")
    assert f" {tmp_path / 'mine'} has " in finding(done.stdout, "data folder")[0]
    line, fix = finding(done.stdout, "server")
    assert line.startswith("bad ")
    assert "flyte up" in fix
