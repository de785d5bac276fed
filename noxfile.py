"""The one door for checks: `nox` runs what CI runs, `nox -s NAME` one of them.

Sessions use the environment that `make environment` created; only stock upstream's client gets one of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "arch", "tests", "interop"]
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent
SOURCES = sorted(str(p.relative_to(ROOT)) for p in [*ROOT.glob("*/src"), *ROOT.glob("plugin_packages/*/src")])
STOCK = ROOT / ".envs" / "stock"
BIN = Path(sys.executable).parent


def run(session: nox.Session, tool: str, *args: str, env: dict[str, str] | None = None) -> None:
    """Run a tool of this environment."""
    session.run(str(BIN / tool), *args, external=True, env=env)


def stock_python(session: nox.Session) -> str:
    """Return the Python of an environment with stock flytekit, creating it on first use.

    FLYTE_STOCK_PYTHON names another one to use instead.
    """
    if given := os.environ.get("FLYTE_STOCK_PYTHON"):
        return given
    python, wanted = STOCK / "bin" / "python", (ROOT / "constraints-stock.txt").read_text()
    ready = STOCK / ".ready"
    if not ready.exists() or ready.read_text() != wanted:
        run(session, "uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(STOCK))
        run(session, "uv", "pip", "install", "--quiet", "--python", str(python), "-r", "constraints-stock.txt")
        ready.write_text(wanted)
    return str(python)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and correctness rules, formatting."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Static types, strict."""
    run(session, "mypy", *SOURCES)


@nox.session
def arch(session: nox.Session) -> None:
    """Import directions between planes and inside them."""
    run(session, "lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but those against stock upstream clients; arguments go to pytest."""
    run(session, "pytest", "-m", "not interop", *session.posargs)


@nox.session
def interop(session: nox.Session) -> None:
    """Stock flytekit, in its own environment, against `flyte up`."""
    run(session, "pytest", "-m", "interop", *session.posargs, env={"FLYTE_STOCK_PYTHON": stock_python(session)})


@nox.session
def bench(session: nox.Session) -> None:
    """The numbers of the architecture, each with its ratio to a floor measured in the same run."""
    run(session, "python", "-m", "benchmarks", *session.posargs, env={"FLYTE_STOCK_PYTHON": stock_python(session)})


@nox.session
def demo(session: nox.Session) -> None:
    """Train three models on `flyte up`, pick the best, load it."""
    run(session, "python", "examples/demo.py", *session.posargs)
