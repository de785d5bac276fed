"""What a task returned, under its names and as literals."""

from __future__ import annotations

import base64
from typing import Any

from flyteidl.core.artifact_id_pb2 import ArtifactID
from flyteidl.core.literals_pb2 import Literal, LiteralMap

from flyte_kit.core.context_manager import FlyteContext, OutputMetadata
from flyte_kit.core.interface import Interface
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformerFailedError

DYNAMIC_PARTITIONS = "_uap"
"""Key of an output's metadata under which its artifact's partitions travel."""


def outputs_by_name(interface: Interface, result: Any) -> dict[str, Any]:
    """Return what a function returned, by the names of its outputs.

    :raises TypeError: if it returned more or fewer values than it says
    """
    names = list(interface.outputs)
    if not names:
        return {}
    if len(names) == 1:
        return {names[0]: result[0] if interface.output_tuple_name and isinstance(result, tuple) else result}
    if not isinstance(result, tuple | list) or len(result) != len(names):
        raise TypeError(f"expected {len(names)} outputs ({', '.join(names)}), got {result!r}")
    return dict(zip(names, result, strict=True))


def outputs_to_literals(ctx: FlyteContext, task: str, interface: Interface, values: dict[str, Any]) -> LiteralMap:
    """Return outputs as literals.

    :raises TypeTransformerFailedError: naming the output that does not fit
    """
    typed = interface.typed.outputs.variables
    result = LiteralMap()
    for index, (name, value) in enumerate(values.items()):
        python_type = interface.outputs[name]
        if isinstance(value, tuple):
            raise TypeError(f"Output({name}) in task '{task}' received a tuple {value}, instead of {python_type}")
        try:
            literal = TypeEngine.to_literal(ctx, value, python_type, typed[name].type)
        except (TypeTransformerFailedError, TypeError, ValueError) as error:
            shown = name if name != f"o{index}" else index
            raise TypeTransformerFailedError(
                f"Failed to convert outputs of task '{task}' at position {shown}.\n"
                f"Failed to convert type {type(value)} to type {python_type}.\nError Message: {error}."
            ) from error
        metadata = ctx.output_metadata_tracker.get(value) if ctx.output_metadata_tracker else None
        if metadata is not None:
            _add_metadata(ctx, name, literal, metadata)
        result.literals[name].CopyFrom(literal)
    return result


def _add_metadata(ctx: FlyteContext, name: str, literal: Literal, metadata: OutputMetadata) -> None:
    for item in metadata.additional_items or ():
        key, value = item.serialize_to_string(ctx, name)
        literal.metadata[key] = value
    if metadata.dynamic_partitions or metadata.time_partition:
        partial = ArtifactID()
        for key, value in (metadata.dynamic_partitions or {}).items():
            partial.partitions.value[key].static_value = value
        if metadata.time_partition is not None:
            partial.time_partition.value.time_value.FromDatetime(metadata.time_partition)
            partial.time_partition.granularity = metadata.artifact.time_partition_granularity
        literal.metadata[DYNAMIC_PARTITIONS] = base64.b64encode(partial.SerializeToString()).decode()
