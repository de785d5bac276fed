"""Which encoder and decoder serve which frame, place and format; and the transformer of tables."""

from __future__ import annotations

import inspect
import types
from typing import Any

from flyteidl.core.literals_pb2 import Literal, StructuredDatasetMetadata
from flyteidl.core.literals_pb2 import StructuredDataset as StructuredDatasetMessage
from flyteidl.core.types_pb2 import LiteralType, SchemaType, SimpleType, StructuredDatasetType
from google.protobuf.json_format import MessageToDict

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformer, TypeTransformerFailedError, unpacked
from flyte_kit.storage.stores import scheme
from flyte_kit.types.structured.columns import column_messages, stated
from flyte_kit.types.structured.structured_dataset import (
    GENERIC_FORMAT,
    PARQUET,
    StructuredDataset,
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
)

__all__ = ["DATASETS", "StructuredDatasetTransformerEngine", "StructuredDatasetType"]

_ANY = None
_SCHEMA_TYPES = {
    SchemaType.SchemaColumn.INTEGER: SimpleType.INTEGER,
    SchemaType.SchemaColumn.FLOAT: SimpleType.FLOAT,
    SchemaType.SchemaColumn.STRING: SimpleType.STRING,
    SchemaType.SchemaColumn.BOOLEAN: SimpleType.BOOLEAN,
    SchemaType.SchemaColumn.DATETIME: SimpleType.DATETIME,
    SchemaType.SchemaColumn.DURATION: SimpleType.DURATION,
}
Key = tuple[Any, str | None, str]


class StructuredDatasetTransformerEngine(TypeTransformer[StructuredDataset]):
    """Registry of encoders and decoders (class methods), and the transformer of StructuredDataset and frames."""

    does_io = True
    encoders: dict[Key, StructuredDatasetEncoder[Any]] = {}  # noqa: RUF012 - one registry for the process
    decoders: dict[Key, StructuredDatasetDecoder[Any]] = {}  # noqa: RUF012
    renderers: dict[Any, Any] = {}  # noqa: RUF012
    default_formats: dict[Any, str] = {}  # noqa: RUF012
    default_protocols: dict[Any, str] = {}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__("StructuredDataset Transformer", StructuredDataset, enable_type_assertions=False)

    @classmethod
    def register(
        cls,
        h: StructuredDatasetEncoder[Any] | StructuredDatasetDecoder[Any],
        default_for_type: bool = False,
        override: bool = False,
        default_format_for_type: bool = False,
        default_storage_for_type: bool = False,
    ) -> None:
        """Take an encoder or decoder.

        :param default_for_type: its format and protocol are those of its frames from now on
        :raises ValueError: if there is one for the same frame, protocol and format, unless ``override``
        """
        table: dict[Key, Any] = cls.encoders if isinstance(h, StructuredDatasetEncoder) else cls.decoders
        key = (h.python_type, h.protocol, h.supported_format)
        if key in table and not override:
            raise ValueError(f"Already registered a handler for {key}")
        table[key] = h
        if (default_for_type or default_format_for_type) and h.supported_format != GENERIC_FORMAT:
            cls.default_formats.setdefault(h.python_type, h.supported_format)
            if override:
                cls.default_formats[h.python_type] = h.supported_format
        if (default_for_type or default_storage_for_type) and h.protocol:
            cls.default_protocols.setdefault(h.python_type, h.protocol)
        TypeEngine.register_additional_type(DATASETS, h.python_type, override=True)

    @classmethod
    def register_renderer(cls, python_type: Any, renderer: Any) -> None:
        """Take what shows frames of a class in decks (``to_html(frame)``)."""
        cls.renderers[python_type] = renderer

    def assert_type(self, t: Any, v: Any) -> None:
        """Take everything: the encoder decides."""

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return columns, format and Arrow schema that a type states."""
        facts = stated(t)
        message = StructuredDatasetType(columns=column_messages(facts.columns), format=facts.format)
        if facts.arrow_schema is not None:
            message.external_schema_type = "arrow"
            message.external_schema_bytes = facts.arrow_schema.to_string().encode()
        return LiteralType(structured_dataset_type=message)

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write a frame and return where it is; a place only is returned as it is."""
        wanted = stated(python_type).base
        table_type = StructuredDatasetType(format=self.default_formats.get(wanted, GENERIC_FORMAT))
        if expected is not None and expected.WhichOneof("type") == "structured_dataset_type":
            table_type.CopyFrom(expected.structured_dataset_type)
        if isinstance(python_val, StructuredDataset):
            return self._literal_of_dataset(ctx, python_val, table_type)
        if inspect.isclass(wanted) and issubclass(wanted, StructuredDataset):
            raise TypeTransformerFailedError(
                f"Expected a StructuredDataset instance, but got {type(python_val)} instead."
                " Did you forget to wrap your dataframe in a StructuredDataset instance?"
            )
        if not isinstance(python_val, wanted):
            raise TypeTransformerFailedError(f"Expected a {wanted}, got {type(python_val)}")
        metadata = StructuredDatasetMetadata(structured_dataset_type=table_type)
        dataset = StructuredDataset(dataframe=python_val, metadata=metadata)
        return self._encode(ctx, dataset, wanted, self.default_formats.get(wanted, GENERIC_FORMAT), table_type)

    def _literal_of_dataset(self, ctx: FlyteContext, value: StructuredDataset, table: StructuredDatasetType) -> Literal:
        if value.literal is not None:
            return _literal(value.literal)
        if value.dataframe is not None:
            return self._encode(ctx, value, type(value.dataframe), table.format, table)
        if not value.uri:
            raise ValueError("If dataframe is not specified, then the uri should be specified.")
        uri = value.uri if ctx.file_access.is_remote(value.uri) else ctx.file_access.put_raw_data(value.uri)
        if table.format == GENERIC_FORMAT and value.file_format:
            table.format = value.file_format
        metadata = StructuredDatasetMetadata(structured_dataset_type=table)
        return _literal(StructuredDatasetMessage(uri=uri, metadata=metadata))

    def _encode(
        self, ctx: FlyteContext, value: StructuredDataset, frame_type: Any, format_: str, table: StructuredDatasetType
    ) -> Literal:
        format_ = format_ or value.file_format or GENERIC_FORMAT
        protocol = self.default_protocols.get(frame_type) or _protocol(value.uri or ctx.file_access.raw_output_prefix)
        encoder = self._handler(self.encoders, frame_type, protocol, format_)
        message = encoder.encode(ctx, value, table)
        if not message.metadata.HasField("structured_dataset_type"):
            message.metadata.structured_dataset_type.CopyFrom(table)
        message.metadata.structured_dataset_type.format = encoder.supported_format
        value.literal, value.uploaded = message, True
        return _literal(message)

    def _handler(self, table: dict[Key, Any], frame_type: Any, protocol: str, format_: str) -> Any:
        TypeEngine.load_families()
        kinds = [kind for kind in getattr(frame_type, "__mro__", (frame_type,)) if any(key[0] is kind for key in table)]
        for kind in kinds:
            default = self.default_formats.get(kind, GENERIC_FORMAT)
            for wanted_format in dict.fromkeys((format_, format_ or default, GENERIC_FORMAT)):
                for wanted_protocol in (protocol, _ANY):
                    if (kind, wanted_protocol, wanted_format) in table:
                        return table[kind, wanted_protocol, wanted_format]
            only = [handler for key, handler in table.items() if key[0] is kind and key[1] in {protocol, _ANY}]
            if not format_ and len(only) == 1:
                return only[0]
        raise ValueError(f"Failed to find a handler for {frame_type}, protocol {protocol!r}, format {format_!r}")

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return a frame, or a table that is read when it is opened.

        Columns that the type states are the ones that are read; without any, those that the literal has.
        """
        match lv.scalar.WhichOneof("value"):
            case "structured_dataset":
                message = lv.scalar.structured_dataset
            case "schema":
                message = _of_schema(lv)
            case "binary":
                return self.from_plain(ctx, unpacked(lv.scalar.binary), expected_python_type)
            case "generic":
                return self.from_plain(ctx, MessageToDict(lv.scalar.generic), expected_python_type)
            case _:
                self.refuse(lv, expected_python_type)
        facts = stated(expected_python_type)
        metadata = StructuredDatasetMetadata()
        metadata.CopyFrom(message.metadata)
        metadata.structured_dataset_type.SetInParent()
        if facts.columns:
            metadata.structured_dataset_type.ClearField("columns")
            metadata.structured_dataset_type.columns.extend(column_messages(facts.columns))
        if inspect.isclass(facts.base) and issubclass(facts.base, StructuredDataset):
            format_ = metadata.structured_dataset_type.format
            dataset = facts.base(uri=message.uri, metadata=metadata, file_format=format_)
            dataset.literal = StructuredDatasetMessage()
            dataset.literal.CopyFrom(message)
            return dataset
        return self.open_as(ctx, message, facts.base, metadata)

    def from_plain(self, ctx: FlyteContext, plain: dict[str, Any], cls: Any) -> Any:
        """Return the table that a structure holds."""
        if plain.get("uri") is None:
            raise TypeTransformerFailedError("StructuredDataset's uri and file format should not be None")
        literal = Literal()
        literal.scalar.structured_dataset.uri = plain["uri"]
        table = literal.scalar.structured_dataset.metadata.structured_dataset_type
        table.format = plain.get("file_format") or GENERIC_FORMAT
        return self.to_python_value(ctx, literal, cls)

    def open_as(
        self, ctx: FlyteContext, sd: StructuredDatasetMessage, df_type: Any, updated_metadata: StructuredDatasetMetadata
    ) -> Any:
        """Read a table as a frame."""
        table = sd.metadata.structured_dataset_type
        result = self._handler(self.decoders, df_type, _protocol(sd.uri), table.format).decode(
            ctx, sd, updated_metadata
        )
        if isinstance(result, types.GeneratorType):
            raise ValueError(f"The decoder of {df_type} returned parts; use iter() in place of all()")  # noqa: TRY004 - as flytekit raises
        return result

    def read(self, ctx: FlyteContext, value: StructuredDataset, df_type: Any) -> Any:
        """Read what a StructuredDataset stands for."""
        message = self._message(ctx, value)
        return self.open_as(ctx, message, df_type, value.metadata or message.metadata)

    def iterate(self, ctx: FlyteContext, value: StructuredDataset, df_type: Any) -> Any:
        """Read it part by part.

        :raises ValueError: if the decoder reads it as a whole only
        """
        message = self._message(ctx, value)
        table = message.metadata.structured_dataset_type
        decoder = self._handler(self.decoders, df_type, _protocol(message.uri), table.format)
        result = decoder.decode(ctx, message, value.metadata or message.metadata)
        if not isinstance(result, types.GeneratorType):
            raise ValueError(f"The decoder of {df_type} reads whole tables; use all() in place of iter()")  # noqa: TRY004 - as flytekit raises
        return result

    def _message(self, ctx: FlyteContext, value: StructuredDataset) -> StructuredDatasetMessage:
        if value.literal is not None:
            return value.literal
        literal = self.to_literal(ctx, value, StructuredDataset, self.get_literal_type(StructuredDataset))
        return literal.scalar.structured_dataset

    def to_html(self, ctx: FlyteContext, python_val: Any, expected_python_type: Any) -> str:
        """Show a frame by its renderer; a table that was not read, by its place."""
        frame = python_val.dataframe if isinstance(python_val, StructuredDataset) else python_val
        renderer = self.renderers.get(type(frame))
        if renderer is not None:
            return str(renderer.to_html(frame))
        return super().to_html(ctx, getattr(python_val, "uri", None) or frame, expected_python_type)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return StructuredDataset."""
        if literal_type.WhichOneof("type") == "structured_dataset_type":
            return StructuredDataset
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


def _protocol(uri: str) -> str:
    return scheme(uri) or "file"


def _literal(message: StructuredDatasetMessage) -> Literal:
    literal = Literal()
    literal.scalar.structured_dataset.CopyFrom(message)
    return literal


def _of_schema(lv: Literal) -> StructuredDatasetMessage:
    message = StructuredDatasetMessage(uri=lv.scalar.schema.uri)
    table = message.metadata.structured_dataset_type
    table.format = PARQUET
    for column in lv.scalar.schema.type.columns:
        table.columns.add(name=column.name, literal_type=LiteralType(simple=_SCHEMA_TYPES[column.type]))
    return message


DATASETS = StructuredDatasetTransformerEngine()
TypeEngine.register(DATASETS)
