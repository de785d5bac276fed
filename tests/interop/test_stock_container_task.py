"""ContainerTask of stock flytekit on `flyte up`: a command of any language, with files for inputs and outputs."""

from __future__ import annotations

import pytest

from flyte_up import Stock

pytestmark = pytest.mark.interop
SUCCEEDED, FAILED = 4, 6


@pytest.fixture(scope="module")
def containers(stock: Stock) -> Stock:
    stock.pyflyte("register", "-p", "flytesnacks", "-d", "development", "--version", "v1", "containers.py")
    return stock


def run(stock: Stock, name: str, **inputs: object) -> dict[str, object]:
    """Run a workflow; return its phase, outputs and error."""
    return stock.remote(f"""
        workflow = remote.fetch_workflow(name="containers.{name}", version="v1")
        done = remote.wait(remote.execute(workflow, inputs={inputs!r}), poll_interval=timedelta(seconds=1))
        result["phase"] = done.closure.phase
        result["error"] = done.error.message if done.error else None
        result["outputs"] = [done.outputs[name] for name in sorted(done.outputs)] if not done.error else None
    """)


def test_values_come_as_files_and_go_as_files(containers: Stock) -> None:
    answer = run(containers, "values", text="two words", number=-3, ratio=0.25, yes=True)
    assert (answer["phase"], answer["outputs"]) == (SUCCEEDED, ["two words", -3, 0.25, True])


def test_values_stand_in_the_command_too(containers: Stock) -> None:
    assert run(containers, "words", text="a b", times=2)["outputs"] == ["a b x 2"]


def test_a_file_goes_in_and_a_file_and_a_folder_come_out(containers: Stock) -> None:
    assert run(containers, "files", text="hello")["outputs"] == ["HELLOhel"]


def test_an_output_that_the_command_forgets_fails_the_task_by_name(containers: Stock) -> None:
    answer = run(containers, "forgets", x=1)
    assert answer["phase"] == FAILED
    assert "output 'forgotten': the command has not written it; in the folder of outputs there is: there" in str(
        answer["error"]
    )


def test_a_command_that_fails_shows_what_it_said(containers: Stock) -> None:
    answer = run(containers, "breaks")
    assert answer["phase"] == FAILED
    assert "exit code (3)" in str(answer["error"])
    assert "this went wrong" in str(answer["error"])
