"""Versions made from what is registered: the same code and settings give the same version."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.constants import WIRE_VERSION


def version_of(digest: str, settings: SerializationSettings, *more: str) -> str:
    """Return a version for code and settings: 22 letters, digits, ``-`` and ``_``.

    :param digest: of the code
    :param more: what else the entities depend on
    """
    known = dataclasses.asdict(dataclasses.replace(settings, version=None))
    text = json.dumps([digest, known, WIRE_VERSION, *more], sort_keys=True)
    hashed = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")
