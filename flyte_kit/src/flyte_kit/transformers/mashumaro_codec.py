"""Dataclasses that say in mashumaro's own terms how they are written; loaded only for those."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import msgpack
from mashumaro.codecs.msgpack import MessagePackDecoder, MessagePackEncoder
from mashumaro.jsonschema import build_json_schema
from mashumaro.mixins.json import DataClassJSONMixin

from flyte_kit.loggers import logger


def json_schema(t: Any) -> dict[str, Any] | None:
    """Return the schema; None where mashumaro cannot make one, as for a structure that holds itself."""
    try:
        return build_json_schema(t).to_dict()
    except (TypeError, ValueError, NotImplementedError, RecursionError) as error:
        logger.warning("%s has no JSON schema: %s", t, error)
        return None


def encode(value: Any, t: Any) -> Any:
    """Return plain data; a class with ``to_json`` decides by itself."""
    if isinstance(value, DataClassJSONMixin):
        return json.loads(value.to_json())
    return msgpack.loads(_encoder(t).encode(value), strict_map_key=False)


def decode(plain: Any, t: Any) -> Any:
    """Return the value that plain data stands for."""
    if issubclass(t, DataClassJSONMixin):
        return t.from_json(json.dumps(plain))
    return _decoder(t).decode(msgpack.dumps(plain))


@lru_cache
def _encoder(t: Any) -> Any:
    return MessagePackEncoder(t)


@lru_cache
def _decoder(t: Any) -> Any:
    return MessagePackDecoder(t, pre_decoder_func=lambda data: msgpack.unpackb(data, raw=False, strict_map_key=False))
