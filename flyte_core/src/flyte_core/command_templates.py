"""Fills the templates of a container's command and arguments, as upstream does.

``{{.input}}``, ``{{ .outputPrefix }}``, ``{{$rawOutputDataPrefix}}``: names without regard to case, ``{{.inputs.x}}``
for the value of an input. One pass, literal replacement: what is filled in is never read as a template again, and an
element never becomes two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC

from flyteidl.core.literals_pb2 import Literal, Primitive
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_core import paths
from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext

TEMPLATE = re.compile(r"\{\{\s*[.$]([a-zA-Z_][^\s{}]*)\s*\}\}")
NO_CHECKPOINT = '""'
"""What stands for the checkpoint of an attempt before the first: these two characters (upstream's choice)."""
TASK_TEMPLATE = "task.pb"

_NOT_ALPHA_FIRST = re.compile(r"^[^a-zA-Z_]+")
_NOT_ALPHANUMERIC = re.compile(r"[^a-zA-Z0-9_]+")
_ASKS_FOR_TEMPLATE = re.compile(rb"\{\{\s*[.$]tasktemplatepath\s*\}\}", re.IGNORECASE)
_ASKS_FOR_INPUTS = re.compile(rb"\{\{\s*[.$]inputs\.", re.IGNORECASE)


def wants_task_template(template: TaskTemplate) -> bool:
    """Tell whether anything in the template asks for itself as a file, which must then be written beforehand to
    :func:`task_template_uri`.
    """
    return _ASKS_FOR_TEMPLATE.search(template.SerializeToString()) is not None


def wants_inputs(template: TaskTemplate) -> bool:
    """Tell whether anything in the template asks for the value of an input."""
    return _ASKS_FOR_INPUTS.search(template.SerializeToString()) is not None


def task_template_uri(output_prefix: str) -> str:
    """Return where the task template is written for commands that ask for it (``{{.taskTemplatePath}}``)."""
    return paths.join(output_prefix, TASK_TEMPLATE)


def fill(words: Iterable[str], ctx: TaskContext) -> list[str]:
    """Return the words with every template filled; as many as were given.

    A template of an unknown name is left as it is, since it may be the user's own.

    :raises flyte_core.errors.InvalidInput: if a template names an input that is not there, or whose value has no text
    """
    given = list(words)
    if not any("{{" in word for word in given):
        return given
    values = _values(ctx)
    return [TEMPLATE.sub(lambda match: _filled(match, values, ctx), word) if "{{" in word else word for word in given]


def _filled(match: re.Match[str], values: Mapping[str, str], ctx: TaskContext) -> str:
    name = match.group(1)
    if name.lower().startswith("inputs."):
        return _input(ctx, name[len("inputs.") :])
    return values.get(name.lower(), match.group(0))


def _values(ctx: TaskContext) -> dict[str, str]:
    where = ctx.paths
    return {
        "input": where.inputs,
        "inputprefix": where.inputs.rpartition("/")[0],
        "outputprefix": where.output_prefix,
        "rawoutputdataprefix": where.raw_output_prefix,
        "checkpointoutputprefix": where.checkpoint_prefix,
        "prevcheckpointprefix": where.previous_checkpoint_prefix or NO_CHECKPOINT,
        "perretryuniquekey": per_retry_unique_key(ctx.generated_name),
        "tasktemplatepath": task_template_uri(where.output_prefix),
        "namespace": ctx.namespace,
    }


def per_retry_unique_key(generated_name: str) -> str:
    """Return the attempt's name as an identifier of SQL and most languages: letters, digits and ``_``."""
    return _NOT_ALPHANUMERIC.sub("_", _NOT_ALPHA_FIRST.sub("a", generated_name))


def _input(ctx: TaskContext, name: str) -> str:
    if name not in ctx.inputs.literals:
        known = ", ".join(sorted(ctx.inputs.literals)) or "none"
        raise InvalidInput(f"the command asks for input {name!r}; there are: {known}", field="container.args")
    return literal_text(ctx.inputs.literals[name], name)


def literal_text(literal: Literal, name: str) -> str:
    """Return a primitive, the URI of a file or data set, or a list of them, as text.

    :param name: of the input, for the error
    :raises flyte_core.errors.InvalidInput: if it is something else
    """
    kind = literal.WhichOneof("value")
    if kind == "collection":
        return "[" + ",".join(literal_text(item, name) for item in literal.collection.literals) + "]"
    if kind == "scalar":
        scalar = literal.scalar
        match scalar.WhichOneof("value"):
            case "primitive":
                return _primitive_text(scalar.primitive)
            case "blob":
                return str(scalar.blob.uri)
            case "schema":
                return str(scalar.schema.uri)
            case "structured_dataset":
                return str(scalar.structured_dataset.uri)
            case "union":
                return literal_text(scalar.union.value, name)
            case "none_type":
                return ""
            case other:
                kind = other
    raise InvalidInput(
        f"input {name!r} is a {kind or 'literal without a value'}, which has no place in a command; primitives, files "
        "and lists of them have",
        field="container.args",
    )


def _primitive_text(primitive: Primitive) -> str:
    match primitive.WhichOneof("value"):
        case "boolean":
            return "true" if primitive.boolean else "false"
        case "float_value":
            return _float_text(primitive.float_value)
        case "datetime":
            moment = primitive.datetime.ToDatetime(tzinfo=UTC)
            fraction = f".{primitive.datetime.nanos:09d}".rstrip("0").rstrip(".")
            return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        case "duration":
            return str(primitive.duration.ToJsonString())
        case "integer":
            return str(primitive.integer)
        case _:
            return str(primitive.string_value)


def _float_text(value: float) -> str:
    """Return the shortest text that reads back as the same number, without ``.0`` (Go's form)."""
    text = repr(value)
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(text, text.removesuffix(".0"))
