"""`flyte run` in this process: inputs as options, results, errors."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from command_here import run_here
from flyte_cli.main import cli

PROGRAM = '''
import datetime
import enum
import os
import typing
from dataclasses import dataclass

from flyte_kit import FlyteDirectory, FlyteFile, LaunchPlan, StructuredDataset, dynamic, eager, task, workflow


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Size:
    width: int
    note: typing.Optional[str] = None


@task
def show_int(x: int) -> str: return repr(x)
@task
def show_float(x: float) -> str: return repr(x)
@task
def show_bool(x: bool) -> str: return repr(x)
@task
def show_str(x: str) -> str: return repr(x)
@task
def show_date(x: datetime.datetime) -> str: return x.isoformat()
@task
def show_day(x: datetime.date) -> str: return x.isoformat()
@task
def show_duration(x: datetime.timedelta) -> str: return str(x)
@task
def show_enum(x: Colour) -> str: return x.name
@task
def show_list(x: typing.List[int]) -> str: return repr(x)
@task
def show_map(x: typing.Dict[str, typing.List[float]]) -> str: return repr(x)
@task
def show_dict(x: dict) -> str: return repr(x)
@task
def show_size(x: Size) -> str: return repr(x)
@task
def show_sizes(x: typing.List[Size]) -> str: return repr(x)
@task
def show_optional(x: typing.Optional[int] = None) -> str: return repr(x)
@task
def show_union(x: typing.Union[int, str]) -> str: return repr(x)
@task
def show_file(x: FlyteFile) -> str: return open(x).read()
@task
def show_files(x: typing.List[FlyteFile]) -> str: return "".join(open(each).read() for each in x)
@task
def show_folder(x: FlyteDirectory) -> str: return ",".join(sorted(os.listdir(x)))
@task
def my_flag(use_it: bool = True) -> bool: return use_it


@task
def show_table(x: StructuredDataset) -> int:
    import pandas
    return len(x.open(pandas.DataFrame).all())


@task
def env() -> str:
    return os.environ.get("MINE", "")


@task
def fail(x: int) -> int:
    raise ValueError(f"no {x}")


@dynamic
def spread(n: int) -> typing.List[str]:
    return [show_int(x=i) for i in range(n)]


@eager
async def careful(x: int) -> str:
    return show_int(x=x)


@workflow
def wf(name: str = "you", Times: int = 2) -> typing.Tuple[str, str]:
    """Greet somebody."""
    return show_str(x=name), show_int(x=Times)


@workflow
def bad(x: int) -> int:
    return fail(x=x)


plan = LaunchPlan.get_or_create(wf, name="a_plan", default_inputs={"name": "plan"})
'''

ODD = """
from flyte_kit import task

class Odd:
    def __init__(self, value):
        self.value = value

ODD = Odd(7)

@task
def show_odd(x: Odd) -> str: return str(x.value)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    (folder / "program_here.py").write_text(PROGRAM)
    (folder / "odd_here.py").write_text(ODD)
    (folder / "size.json").write_text('{"width": 3}')
    (folder / "size.yaml").write_text("width: 4\nnote: wide\n")
    (folder / "text.txt").write_text("content")
    (folder / "table.csv").write_text("a,b\n1,2\n3,4\n")
    return folder / "program_here.py"


def run(program: Path, *arguments: str, code: int = 0, stdin: str = "", **variables: str) -> str:
    command = [sys.executable, "-m", "flyte_cli", "run", *arguments]
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command,
        env=environment,
        cwd=program.parent,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def refusal(program: Path, *arguments: str) -> str:
    """Return what stands on stderr when `flyte run` does not understand; nothing of the user's is run for that."""
    with contextlib.chdir(program.parent):
        done = run_here(("run", *arguments), {}, seconds=30)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("task", "text", "shown"),
    [
        ("show_int", "-3", "-3"),
        ("show_float", "2", "2.0"),
        ("show_str", "a b", "'a b'"),
        ("show_str", "", "''"),
        ("show_date", "2026-01-31T12:00", "2026-01-31T12:00:00+00:00"),
        ("show_date", "2026-01-31 - 1d", "2026-01-30T00:00:00+00:00"),
        ("show_day", "2026-01-31", "2026-01-31"),
        ("show_duration", "1h30m", "1:30:00"),
        ("show_duration", "P1DT2H", "1 day, 2:00:00"),
        ("show_enum", "green", "GREEN"),
        ("show_list", "[1, 2]", "[1, 2]"),
        ("show_map", '{"a": [1]}', "{'a': [1.0]}"),
        ("show_dict", '{"a": [1, "x", null]}', "{'a': [1, 'x', None]}"),
        ("show_size", '{"width": 2}', "Size(width=2, note=None)"),
        ("show_size", "size.json", "Size(width=3, note=None)"),
        ("show_size", "@size.yaml", "Size(width=4, note='wide')"),
        (
            "show_sizes",
            '[{"width": 1}, {"width": 2, "note": "n"}]',
            "[Size(width=1, note=None), Size(width=2, note='n')]",
        ),
        ("show_optional", "5", "5"),
        ("show_optional", "none", "None"),
        ("show_union", "5", "5"),
        ("show_union", "five", "'five'"),
        ("show_file", "text.txt", "content"),
        ("show_files", '["text.txt", "text.txt"]', "contentcontent"),
        ("show_folder", ".", "program_here.py"),
        ("show_table", "table.csv", "2"),
    ],
)
def test_an_input_of_every_kind_is_an_option(
    program: Path, monkeypatch: pytest.MonkeyPatch, task: str, text: str, shown: str
) -> None:
    monkeypatch.chdir(program.parent)
    done = CliRunner().invoke(cli, ["run", "program_here.py", task, "--x", text])
    assert done.exit_code == 0, done.output
    assert shown in done.output


def test_what_travels_as_a_pickle_is_named_by_its_variable(program: Path) -> None:
    assert run(program, "odd_here.py", "show_odd", "--x", "odd_here:ODD") == "7\n"
    err = run(program, "odd_here.py", "show_odd", "--x", "odd_here:NONE", code=2)
    assert "give module:name of a variable that can be imported" in err


def test_flags_say_yes_and_no_under_both_spellings(program: Path) -> None:
    assert run(program, "program_here.py", "show_bool", "--no-x") == "False\n"
    assert run(program, "program_here.py", "my_flag") == "True\n"
    assert run(program, "program_here.py", "my_flag", "--no-use-it") == "False\n"
    assert run(program, "program_here.py", "my_flag", "--no-use_it") == "False\n"


@pytest.mark.parametrize(
    ("task", "text", "said"),
    [
        ("show_int", "x", "'x' is no int"),
        ("show_enum", "blue", "'blue' is none of red, green"),
        ("show_list", "[1,", "neither JSON nor the path of a JSON or YAML file"),
        ("show_file", "nope.txt", "there is no file or folder 'nope.txt' here"),
        ("show_duration", "soon", "'soon' is no duration"),
    ],
)
def test_what_is_no_value_of_an_input_is_told_with_what_is(program: Path, task: str, text: str, said: str) -> None:
    err = refusal(program, "program_here.py", task, "--x", text)
    assert said in err
    assert len(err.splitlines()) == 1, err


def test_results_are_lines_or_json(program: Path) -> None:
    assert run(program, "program_here.py", "wf", "--name", "me") == "o0: 'me'\no1: 2\n"
    assert json.loads(run(program, "-o", "json", "program_here.py", "wf", "--Times", "3")) == {"o0": "'you'", "o1": "3"}


def test_inputs_come_from_a_file_or_standard_input_and_options_win(program: Path) -> None:
    (program.parent / "inputs.yaml").write_text("name: file\nTimes: 9\n")
    assert run(program, "--inputs-file", "inputs.yaml", "program_here.py", "wf") == "o0: 'file'\no1: 9\n"
    out = run(
        program, "--inputs-file", "-", "program_here.py", "wf", "--name", "opt", stdin='{"Times": 4, "name": "in"}'
    )
    assert out == "o0: 'opt'\no1: 4\n"
    err = run(program, "--inputs-file", "-", "program_here.py", "wf", stdin='{"tmes": 4}', code=1)
    assert "there is no input 'tmes'; there are name, Times" in err


def test_launch_plans_dynamic_and_eager_tasks_run_too(program: Path) -> None:
    assert run(program, "program_here.py", "plan") == "o0: 'plan'\no1: 2\n"
    assert run(program, "program_here.py", "spread", "--n", "3") == "['0', '1', '2']\n"
    assert run(program, "program_here.py", "careful", "--x", "3") == "3\n"


def test_variables_are_there_before_the_file_is_imported(program: Path) -> None:
    assert run(program, "--env", "MINE=yes", "program_here.py", "env") == "yes\n"
    assert "'MINE' is no KEY=VALUE" in run(program, "--env", "MINE", "program_here.py", "env", code=2)


def test_a_failing_task_shows_the_users_own_lines_and_exits_with_1(program: Path) -> None:
    err = run(program, "program_here.py", "bad", "--x", "3", code=1)
    assert 'raise ValueError(f"no {x}")' in err
    assert "flyte_kit" not in err
    assert err.splitlines()[-1].startswith("flyte: program_here.bad failed: ValueError")


def test_help_lists_entities_inputs_and_defaults(program: Path) -> None:
    assert "workflow program_here.wf  Greet somebody." in run(program, "program_here.py", "--help")
    page = run(program, "program_here.py", "wf", "--help")
    assert "--Times INTEGER" in page
    assert "[default: you]" in page
    assert "[required]" in run(program, "program_here.py", "show_int", "--help")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope.py", "wf"], "there is no file 'nope.py'"),
        (["program_here.py"], "name what to run: program_here.py defines"),
        (["program_here.py", "nope"], "program_here.py has no 'nope'; it defines"),
        (["program_here.py", "show_int"], "missing inputs: --x (INTEGER)"),
        (["program_here.py", "wf", "--nme", "x"], "wf has no input --nme; its inputs: --name, --Times"),
        (["program_here.py", "wf", "--remote"], "--remote stands before what is run: flyte run --remote"),
        (["--follow", "program_here.py", "wf"], "--follow is for executions on the control plane: add --remote"),
        (["--remote", "--resource-requests", "cpux=1", "program_here.py", "wf"], "write for example cpu=1,mem=1Gi"),
    ],
)
def test_what_is_not_understood_is_told_with_the_fix(program: Path, arguments: list[str], said: str) -> None:
    err = refusal(program, *arguments)
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_file_that_cannot_be_imported_shows_where(program: Path) -> None:
    (program.parent / "broken_here.py").write_text("import flyte_kit\n\n1 / 0\n")
    err = run(program, "broken_here.py", "wf", code=1)
    assert 'broken_here.py", line 3' in err
    assert err.splitlines()[-1] == "flyte: broken_here.py cannot be imported: ZeroDivisionError: division by zero"
