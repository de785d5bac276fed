"""{{ cookiecutter.slug }} keeps the contract of its port, and is found through its metadata."""

from __future__ import annotations

from flyte_core.plugins import PluginManager
from flyte_core.testing.conformance import check_{{ cookiecutter.shape | replace('-', '_') }}_task_type
from flyteidl.core.identifier_pb2 import Identifier
{%- if cookiecutter.shape == "inline" %}
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
{%- endif %}
from flyteidl.core.tasks_pb2 import {% if cookiecutter.shape == "resource" %}Container, {% endif %}TaskTemplate

from {{ cookiecutter.module }}.task_type import {{ cookiecutter.class_name }}

TEMPLATE = TaskTemplate(
    id=Identifier(project="p", domain="d", name="task", version="v"),
    type="{{ cookiecutter.name }}",
{%- if cookiecutter.shape == "resource" %}
    container=Container(image="image", args=["run", "{% raw %}{{.input}}{% endraw %}"]),
{%- endif %}
)


{% if cookiecutter.shape == "resource" -%}
def test_it_conforms() -> None:
    check_resource_task_type({{ cookiecutter.class_name }}(greeting="hello"), TEMPLATE)
{%- elif cookiecutter.shape == "remote-job" -%}
async def test_it_conforms() -> None:
    await check_remote_job_task_type({{ cookiecutter.class_name }}(greeting="hello"), TEMPLATE)
{%- else -%}
async def test_it_conforms() -> None:
    name = Literal(scalar=Scalar(primitive=Primitive(string_value="world")))
    inputs = LiteralMap(literals={"name": name})
    await check_inline_task_type({{ cookiecutter.class_name }}(greeting="hello"), TEMPLATE, inputs=inputs)
{%- endif %}


def test_the_platform_finds_it() -> None:
    found = PluginManager.scan().task_type("{{ cookiecutter.name }}")
    assert isinstance(found, {{ cookiecutter.class_name }})
