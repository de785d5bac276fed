"""Installed packages that bring types and image builders: found by entry points, imported when they are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_kit.core.type_transformer import TypeTransformer
from flyte_kit.hookspecs import hookimpl
from flyte_kit.image_spec.image_spec import ImageSpecBuilder
from points import Point

print("plugin imported")


class PointTransformer(TypeTransformer):
    def __init__(self):
        super().__init__("point", Point)

    def get_literal_type(self, t):
        return LiteralType(simple=SimpleType.STRING)

    def to_literal(self, ctx, python_val, python_type, expected):
        literal = Literal()
        literal.scalar.primitive.string_value = f"{python_val.x},{python_val.y}"
        return literal

    def to_python_value(self, ctx, lv, expected_python_type):
        return Point(*map(int, lv.scalar.primitive.string_value.split(",")))


class Builder(ImageSpecBuilder):
    def build_image(self, image_spec):
        return f"built-of/{image_spec.name}:v1"


@hookimpl
def flyte_type_transformers():
    return [PointTransformer()]


@hookimpl
def flyte_image_builder(name):
    return Builder() if name == "quick" else None
"""
POINTS = """
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    info = tmp_path / "flyte_points-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flyte-points\nVersion: 1.2\n")
    points = (
        "[flyte.types]\npoints = points_plugin\n[flyte.image_builders]\nquick = points_plugin\nslow = points_plugin\n"
    )
    (info / "entry_points.txt").write_text(points)
    (tmp_path / "points_plugin.py").write_text(PLUGIN)
    (tmp_path / "points.py").write_text(POINTS)
    return tmp_path


def run(folder: Path, program: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join([str(folder), *sys.path])},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def test_a_type_of_a_library_is_served_by_its_plugin(installed: Path) -> None:
    out = run(
        installed,
        """if True:
        from points import Point
        from flyte_kit import task, workflow
        @task
        def mirror(p: Point) -> Point:
            return Point(p.y, p.x)
        @workflow
        def wf(p: Point) -> Point:
            return mirror(p=p)
        found = wf(p=Point(1, 2))
        print(found.x, found.y, mirror.interface.outputs.variables["o0"].type.simple)
        """,
    )
    assert out == "plugin imported\n2 1 3\n"


def test_a_plugin_is_not_imported_by_programs_that_do_not_need_it(installed: Path) -> None:
    program = """if True:
        from flyte_kit import task
        @task
        def double(x: int) -> int:
            return 2 * x
        print(double(x=2))
        class Other: pass
        @task
        def other() -> Other:
            return Other()
        """
    assert run(installed, program) == "4\n"


def test_a_broken_plugin_is_named_by_its_package(installed: Path) -> None:
    (installed / "points_plugin.py").write_text("1 / 0\n")
    program = """if True:
        from points import Point
        from flyte_kit import task
        @task
        def mirror(p: Point) -> Point:
            return p
        """
    err = run(installed, program, code=1)
    assert "plugin 'points': flyte-points 1.2 (flyte.types) is broken: ZeroDivisionError: division by zero" in err


def test_an_image_is_built_by_the_builder_that_it_names(installed: Path) -> None:
    program = """if True:
        from flyte_kit import ImageSpec
        from flyte_kit.image_spec import ImageBuildEngine
        spec = ImageSpec(name="mine", builder="quick")
        ImageBuildEngine.build(spec)
        print(spec.image_name())
        for name in ("slow", "nobody"):
            try:
                ImageBuildEngine.build(ImageSpec(name="mine", builder=name, packages=[name]))
            except Exception as error:
                print(type(error).__name__, error)
        """
    out = run(installed, program).splitlines()
    assert out[1] == "built-of/mine:v1"
    assert out[2] == "PluginError plugin 'slow': flyte-points 1.2 names this image builder and returns none"
    assert out[3] == "ConfigError no installed package has an image builder 'nobody'; there are noop, quick, slow"
