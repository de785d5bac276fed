"""Inputs as files: one for each, and all of them in one document."""

from __future__ import annotations

import base64
import importlib
import json
import math
import os
import shutil
from typing import Any

from flyteidl.core.literals_pb2 import Blob, Literal, LiteralMap, Primitive, Scalar, Schema, StructuredDataset
from flyteidl.core.tasks_pb2 import DataLoadingConfig
from flyteidl.core.types_pb2 import BlobType
from google.protobuf import json_format

from flyte_core.errors import InvalidInput, TooLarge, UserError
from flyte_kit.copilot.patience import patiently
from flyte_kit.copilot.texts import primitive_text
from flyte_kit.storage.stores import store_of

INPUTS = "inputs"
LARGEST_DOCUMENT = 64 * 2**20
"""Bytes of ``inputs.pb``, and of one value that is kept in storage for its size."""
MOST_FILES = 100_000
"""Of all inputs together."""
SPARE = 2**30
"""Bytes of the disk that inputs never take."""
_BLOCK = 2**20


def read_document(uri: str, patience: float) -> bytes:
    """Return an object that must be small.

    :raises flyte_core.errors.TooLarge: if it is not
    """

    def read() -> bytes:
        with store_of(uri).open_read(uri) as source:
            return source.read(LARGEST_DOCUMENT + 1)

    data = patiently(read, patience)
    if len(data) > LARGEST_DOCUMENT:
        raise TooLarge(f"{uri} has more than {LARGEST_DOCUMENT} bytes")
    return data


class InputFiles:
    """A folder that inputs are written to.

    :ivar patience: seconds for which a store that does not answer is asked again
    """

    def __init__(self, folder: str, patience: float) -> None:
        self.folder = folder
        self.patience = patience
        self._files = 0

    def write(self, inputs: LiteralMap, form: DataLoadingConfig.LiteralMapFormat.ValueType) -> None:
        """Write every input to a file of its name, and all to ``inputs.pb`` and to ``inputs.json`` or ``inputs.yaml``.

        In these documents files stand as they are here: by their path.

        :raises flyte_core.errors.InvalidInput: naming an input that has no form as files, is not where it says, or
            is more than the disk has room for
        """
        os.makedirs(self.folder, exist_ok=True)
        values, literals = self._map(inputs, self.folder)
        self._put(os.path.join(self.folder, f"{INPUTS}.pb"), literals.SerializeToString(deterministic=True))
        if form == DataLoadingConfig.JSON:
            text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
            self._put(os.path.join(self.folder, f"{INPUTS}.json"), text.encode())
        elif form == DataLoadingConfig.YAML:
            text = importlib.import_module("yaml").safe_dump(values, default_flow_style=False, allow_unicode=True)
            self._put(os.path.join(self.folder, f"{INPUTS}.yaml"), text.encode())

    def _map(self, literals: LiteralMap, folder: str) -> tuple[dict[str, Any], LiteralMap]:
        values: dict[str, Any] = {}
        local = LiteralMap()
        for name in sorted(literals.literals):
            path = os.path.join(folder, _file_name(name))
            try:
                values[name], literal = self._literal(literals.literals[name], path)
            except UserError as error:
                raise InvalidInput(f"{name!r}: {error}") from error
            local.literals[name].CopyFrom(literal)
        return values, local

    def _literal(self, literal: Literal, path: str) -> tuple[Any, Literal]:
        """Write one value; return it as JSON has it, and as a literal whose files are here."""
        match literal.WhichOneof("value"):
            case "scalar":
                value, scalar = self._scalar(literal.scalar, path)
                return value, Literal(scalar=scalar)
            case "collection":
                values, local = [], Literal(collection={})
                os.makedirs(path, exist_ok=True)
                for index, item in enumerate(literal.collection.literals):
                    value, each = self._literal(item, os.path.join(path, str(index)))
                    values.append(value)
                    local.collection.literals.append(each)
                return values, local
            case "map":
                os.makedirs(path, exist_ok=True)
                mapping, inner = self._map(literal.map, path)
                return mapping, Literal(map=inner)
            case "offloaded_metadata":
                data = read_document(literal.offloaded_metadata.uri, self.patience)
                return self._literal(Literal.FromString(data), path)
            case other:
                raise InvalidInput(f"a literal with {other or 'no value'} has no form as a file")

    def _scalar(self, scalar: Scalar, path: str) -> tuple[Any, Scalar]:
        match scalar.WhichOneof("value"):
            case "primitive":
                self._put(path, primitive_text(scalar.primitive).encode())
                return _json_value(scalar.primitive), scalar
            case "none_type":
                self._put(path, b"null")
                return None, scalar
            case "blob":
                metadata = scalar.blob.metadata
                self._fetch(scalar.blob.uri, path, many=metadata.type.dimensionality == BlobType.MULTIPART)
                return path, Scalar(blob=Blob(uri=path, metadata=metadata))
            case "schema":
                self._fetch(scalar.schema.uri, path, many=True)
                return path, Scalar(schema=Schema(uri=path, type=scalar.schema.type))
            case "structured_dataset":
                dataset = scalar.structured_dataset
                self._fetch(dataset.uri, path, many=True)
                return path, Scalar(structured_dataset=StructuredDataset(uri=path, metadata=dataset.metadata))
            case "binary":
                self._put(path, scalar.binary.value)
                return base64.b64encode(scalar.binary.value).decode(), scalar
            case "error":
                self._put(path, scalar.error.message.encode())
                return scalar.error.message, scalar
            case "generic":
                value = json_format.MessageToDict(scalar.generic)
                self._put(path, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
                return value, scalar
            case "union":
                value, inner = self._literal(scalar.union.value, path)
                return value, Scalar(union={"value": inner, "type": scalar.union.type})
            case other:
                raise InvalidInput(f"a {other or 'scalar without a value'} has no form as a file")

    def _fetch(self, uri: str, path: str, *, many: bool) -> None:
        """Copy an object, or all that are below it, each to the path that it has there."""
        if not many:
            patiently(lambda: self._copy(uri, path), self.patience)
            return
        os.makedirs(path, exist_ok=True)
        found = patiently(lambda: list(store_of(uri).list(uri)), self.patience)
        if not found:
            raise InvalidInput(f"there is nothing at {uri}")
        for each in found:
            below = each.removeprefix(uri).strip("/")
            parts = [_file_name(part) for part in (below or each.rpartition("/")[2]).split("/")]
            target = os.path.join(path, *parts)
            patiently(lambda each=each, target=target: self._copy(each, target), self.patience)  # type: ignore[misc]

    def _copy(self, uri: str, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._count()
        room = shutil.disk_usage(self.folder).free - SPARE
        with store_of(uri).open_read(uri) as source, open(path, "wb") as target:
            while data := source.read(_BLOCK):
                room -= len(data)
                if room < 0:
                    raise TooLarge(f"the disk has no room for {uri}: {SPARE} bytes of it must stay free")
                target.write(data)

    def _put(self, path: str, data: bytes) -> None:
        self._count()
        with open(path, "wb") as file:
            file.write(data)

    def _count(self) -> None:
        self._files += 1
        if self._files > MOST_FILES:
            raise TooLarge(f"there are more than {MOST_FILES} files in it, or in the inputs before it")


def _file_name(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise InvalidInput(f"{name[:256]!r} can be no name of a file")
    return name


def _json_value(primitive: Primitive) -> Any:
    """Return a primitive as JSON has it: what JSON has no form for is its text; a float that is no number is null."""
    match primitive.WhichOneof("value"):
        case "integer":
            return primitive.integer
        case "boolean":
            return primitive.boolean
        case "float_value":
            value = primitive.float_value
            if not math.isfinite(value):
                return None
            return int(value) if value.is_integer() and abs(value) < 2**53 else value
        case None:
            return None
        case _:
            return primitive_text(primitive)
