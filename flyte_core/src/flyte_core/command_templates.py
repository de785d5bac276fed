"""Fills the templates of a container's command and arguments, as upstream does.

``{{.input}}``, ``{{ .outputPrefix }}``, ``{{$rawOutputDataPrefix}}``: names without regard to case. One pass, literal
replacement: what is filled in is never read as a template again, and an element never becomes two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flyteidl.core.literals_pb2 import Literal

from flyte_core import paths
from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext

TEMPLATE = re.compile(r"\{\{\s*[.$]([a-zA-Z_][\w.-]*)\s*\}\}")
NO_CHECKPOINT = '""'
"""What stands for the checkpoint of an attempt before the first: these two characters (upstream's choice)."""
TASK_TEMPLATE = "task.pb"


def wants_task_template(ctx: TaskContext) -> bool:
    """Tell whether the command asks for the task template as a file, which must then be written beforehand."""
    words = [*ctx.template.container.command, *ctx.template.container.args]
    return any(m.group(1).lower() == "tasktemplatepath" for word in words for m in TEMPLATE.finditer(word))


def task_template_uri(ctx: TaskContext) -> str:
    """Return where the task template is written for commands that ask for it."""
    return paths.join(ctx.paths.output_prefix, TASK_TEMPLATE)


def fill(words: Sequence[str], ctx: TaskContext) -> list[str]:
    """Return the words with every template filled.

    :raises flyte_core.errors.InvalidInput: if a template names an input that is not there or is no primitive; an
        unknown template is left as it is, since it may be the user's own
    """
    values = _values(ctx)

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        if name.lower().startswith("inputs."):
            return _input(ctx, name[len("inputs.") :])
        return values.get(name.lower(), match.group(0))

    return [TEMPLATE.sub(replaced, word) for word in words]


def _values(ctx: TaskContext) -> dict[str, str]:
    where = ctx.paths
    return {
        "input": where.inputs,
        "inputprefix": where.inputs.rsplit("/", 1)[0],
        "outputprefix": where.output_prefix,
        "rawoutputdataprefix": where.raw_output_prefix,
        "checkpointoutputprefix": where.checkpoint_prefix,
        "prevcheckpointprefix": where.previous_checkpoint_prefix or NO_CHECKPOINT,
        "perretryuniquekey": ctx.generated_name.replace("-", "_"),
        "tasktemplatepath": task_template_uri(ctx),
        "namespace": ctx.namespace,
    }


def _input(ctx: TaskContext, name: str) -> str:
    if name not in ctx.inputs.literals:
        known = ", ".join(sorted(ctx.inputs.literals)) or "none"
        raise InvalidInput(f"the command asks for input {name!r}; there are: {known}", field="container.args")
    return literal_text(ctx.inputs.literals[name], name)


def literal_text(literal: Literal, name: str) -> str:
    """Return a primitive, URI or list of them as text.

    :param name: of the input, for the error
    :raises flyte_core.errors.InvalidInput: if it is something else
    """
    if literal.WhichOneof("value") == "collection":
        return "[" + ",".join(literal_text(item, name) for item in literal.collection.literals) + "]"
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
            raise InvalidInput(
                f"input {name!r} is {other or literal.WhichOneof('value')}: a command takes no such value"
            )


def _primitive_text(primitive: object) -> str:
    kind = primitive.WhichOneof("value")  # type: ignore[attr-defined]
    value = getattr(primitive, kind)
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "float_value":
        return f"{value:g}"
    if kind in ("datetime", "duration"):
        return str(value.ToJsonString())
    return str(value)
