"""Versions made from what is registered: the same code and settings give the same version."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json

from flyte_kit.configuration.serialization import FastSerializationSettings, SerializationSettings
from flyte_kit.core.constants import WIRE_VERSION
from flyte_kit.registration.tarball import Tarball


def version_of(digest: str, settings: SerializationSettings, *more: str) -> str:
    """Return a version for code and settings: 22 letters, digits, ``-`` and ``_``.

    :param digest: of the code
    :param more: what else the entities depend on
    """
    known = dataclasses.asdict(dataclasses.replace(settings, version=None))
    text = json.dumps([digest, known, WIRE_VERSION, *more], sort_keys=True)
    hashed = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")


def with_code(settings: SerializationSettings, code: Tarball, location: str, destination: str) -> SerializationSettings:
    """Return settings whose tasks fetch packed code, with a version made of it where there is none.

    :param location: URI of the tarball; it does not count for the version, so that a dry run gives the same one
    :param destination: folder of the code in the container
    """
    fast = FastSerializationSettings(True, destination, location)
    result = dataclasses.replace(settings, fast_serialization_settings=fast)
    if settings.version:
        return result
    counted = dataclasses.replace(
        result,
        fast_serialization_settings=dataclasses.replace(fast, distribution_location=None),
        source_root=None,
    )
    return dataclasses.replace(result, version=version_of(code.digest, counted))
