"""Shell scripts as tasks."""

from __future__ import annotations

import datetime
import os
import string
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from flyte_kit.core.context_manager import current_context
from flyte_kit.core.interface import Interface
from flyte_kit.core.python_function_task import PythonInstanceTask
from flyte_kit.exceptions.user import FlyteRecoverableException
from flyte_kit.types.directory import FlyteDirectory
from flyte_kit.types.file import FlyteFile


@dataclass(frozen=True)
class ProcessResult:
    """How a script ended."""

    returncode: int
    output: str
    error: str


@dataclass(frozen=True)
class OutputLocation:
    """An output of a script.

    :ivar var_type: FlyteFile or FlyteDirectory
    :ivar location: path, with ``{inputs.x}`` where inputs go
    """

    var: str
    var_type: Any
    location: Any


class _Formatter(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, FlyteFile | FlyteDirectory):
            return value.download()
        if isinstance(value, datetime.datetime):
            return value.isoformat()
        return str(super().format_field(value, format_spec))


class ShellTask(PythonInstanceTask):
    """A script; ``{inputs.x}``, ``{outputs.y}`` and ``{ctx.z}`` stand for inputs, places of outputs and the context.

    :param script: the text, or ``script_file`` its path
    :param shell: that runs it
    :param output_locs: where it leaves its outputs
    :param debug: whether the filled-in script is shown
    """

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        name: str,
        debug: bool = False,
        script: str | None = None,
        script_file: str | None = None,
        task_config: Any = None,
        shell: str = "/bin/sh",
        inputs: dict[str, Any] | None = None,
        output_locs: list[OutputLocation] | None = None,
        **kwargs: Any,
    ) -> None:
        if bool(script) is bool(script_file):
            raise ValueError("Give either script or script_file")
        if script_file and not os.path.exists(script_file):
            raise ValueError(f"FileNotFound: the specified Script file at path {script_file} cannot be loaded")
        self.script = script
        self.script_file = os.path.abspath(script_file) if script_file else None
        self.debug, self._shell = debug, shell
        self.output_locs = output_locs or []
        self.result: ProcessResult | None = None
        outputs = {each.var: each.var_type for each in self.output_locs}
        _check_outputs(self.output_locs)
        super().__init__(name, task_config, interface=Interface(inputs=inputs, outputs=outputs), **kwargs)

    def make_script(self, inputs: dict[str, Any], outputs: dict[str, str]) -> str:
        """Return the script with everything in its place."""
        text = self.script
        if self.script_file:
            with open(self.script_file) as file:
                text = file.read()
        return interpolate(text or "", inputs, outputs)

    def execute(self, **kwargs: Any) -> Any:
        """Run the script.

        :raises FlyteRecoverableException: if it ends with another code than 0
        """
        places = {each.var: interpolate(str(each.location), kwargs, {}) for each in self.output_locs}
        script = self.make_script(kwargs, places)
        if self.debug:
            sys.stderr.write(f"{script}\n")
        done = subprocess.run(script, shell=True, executable=self._shell, capture_output=True, text=True, check=False)
        sys.stdout.write(done.stdout)
        self.result = ProcessResult(done.returncode, done.stdout, done.stderr)
        if done.returncode != 0:
            raise FlyteRecoverableException(
                f"Failed to Execute Script, return-code {done.returncode}\nStdOut: {done.stdout[-4000:]}\n"
                f"StdErr: {done.stderr[-4000:]}"
            )
        values = tuple(each.var_type(places[each.var]) for each in self.output_locs)
        return None if not values else values[0] if len(values) == 1 else values


class RawShellTask(ShellTask):
    """A script file that is started with variables and arguments which are inputs: ``env`` and ``script_args``."""

    def make_script(self, inputs: dict[str, Any], outputs: dict[str, str]) -> str:
        """Return exports of the variables and the start of the script."""
        exports = "\n".join(f"export {name}={value}" for name, value in (inputs.get("env") or {}).items())
        values = {**inputs, "export_env": exports}
        return interpolate(self.script or "", values, outputs)


_RAW_TEMPLATE = """
#!/bin/bash

set -uex

cd {ctx.working_directory}

{inputs.export_env}

bash {inputs.script_file} {inputs.script_args}
"""


def get_raw_shell_task(name: str) -> RawShellTask:
    """Return a task that starts a script which is an input (``script_file``), with ``script_args`` and ``env``."""
    return RawShellTask(
        name=name,
        script=_RAW_TEMPLATE,
        inputs={"env": dict[str, str], "script_args": str, "script_file": str},
        output_locs=[OutputLocation("out", FlyteDirectory, "{ctx.working_directory}")],
    )


def interpolate(template: str, inputs: dict[str, Any], outputs: dict[str, str]) -> str:
    """Put inputs, places of outputs and the context into a text.

    :raises ValueError: naming what is not there
    """
    try:
        return _Formatter().format(
            template, inputs=SimpleNamespace(**inputs), outputs=SimpleNamespace(**outputs), ctx=current_context()
        )
    except (KeyError, AttributeError) as error:
        raise ValueError(f"Variable {error} in Query not found in inputs {list(inputs)}") from error


def _check_outputs(locations: list[OutputLocation]) -> None:
    for each in locations:
        if not isinstance(each, OutputLocation):
            raise ValueError("Every output type should be an output location on the file-system")  # noqa: TRY004
        if each.location is None:
            raise ValueError(f"Output Location not provided for output var {each.var}")
        if not issubclass(each.var_type, FlyteFile | FlyteDirectory):
            raise ValueError("Only outputs of type FlyteFile/FlyteDirectory and their derived types are supported")  # noqa: TRY004 - as flytekit raises
