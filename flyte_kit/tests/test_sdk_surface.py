"""The SDK as seen from outside: its names and what importing it costs."""

from __future__ import annotations

import ast
import datetime
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import flyte_kit
from flyte_kit._exports import EXPORTS
from flyte_kit.core.schedule import CronSchedule, check_cron
from flyte_kit.core.tracker import extract_task_module
from flyte_kit.remote.backfill import scheduled_times

HEAVY = {"pandas", "pyarrow", "numpy", "grpc", "pydantic", "rich", "requests", "fsspec", "asyncio", "mashumaro", "yaml"}
HEAVY |= {"kubernetes", "boto3", "email", "concurrent.futures"}


def test_every_public_name_can_be_imported() -> None:
    for name in flyte_kit.__all__:
        assert getattr(flyte_kit, name) is not None, name


def test_type_checkers_and_the_interpreter_see_the_same_names() -> None:
    tree = ast.parse(Path(str(flyte_kit.__file__)).read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imported = [each for block in blocks for each in block.body if isinstance(each, ast.ImportFrom)]
    seen = {(each.module, alias.name) for each in imported for alias in each.names}
    assert seen == {(module, name) for module, names in EXPORTS.items() for name in names}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = flyte_kit.no_such_thing


def test_every_module_can_be_imported_on_its_own() -> None:
    optional = {"flyte_kit.transformers.images", "flyte_kit.transformers.polars_frames"}
    optional |= {"flyte_kit.transformers.torch_objects"}
    for found in pkgutil.walk_packages(flyte_kit.__path__, "flyte_kit."):
        if found.name not in optional:
            importlib.import_module(found.name)


def test_importing_the_sdk_loads_nothing_heavy() -> None:
    code = "import sys; from flyte_kit import task, workflow; print('\\n'.join(sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("text", ["* * * * *", "*/5 0-6 1,15 JAN-MAR MON", "@daily", "0 0 L * *"])
def test_a_good_cron_schedule_is_taken(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize("text", ["* * * *", "61 * * * *", "* * * * BLA", "*/0 * * * *", ""])
def test_a_bad_cron_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Schedule is invalid"):
        check_cron(text)


def test_the_times_of_a_schedule_are_those_after_the_start() -> None:
    start = datetime.datetime(2024, 2, 28, 12, tzinfo=datetime.UTC)
    schedule = CronSchedule(schedule="0 6 * * *").message()
    found = list(scheduled_times(schedule, start, start + datetime.timedelta(days=3)))
    assert [(each.month, each.day, each.hour) for each in found] == [(2, 29, 6), (3, 1, 6), (3, 2, 6)]


def test_a_task_is_named_after_its_module() -> None:
    def function() -> None: ...

    name, module, short, _ = extract_task_module(function)
    assert (module, short) == (__name__, "function")
    assert name == f"{__name__}.function"


def test_every_public_function_says_what_it_does() -> None:
    silent = [name for name in flyte_kit.__all__ if not inspect.getdoc(getattr(flyte_kit, name))]
    assert silent == []
