"""Requests for secrets on pods, as upstream's webhook reads them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from flyteidl.core.security_pb2 import Secret
from google.protobuf import text_format

from flyte_core.errors import InvalidInput

INJECT_SECRETS = "inject-flyte-secrets"
"""Label of the pods to which the secrets webhook attends."""
SECRET_ANNOTATION = "flyte.secrets/s"
"""Annotation of the first, second, … secret: with its number."""
_RFC_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SECRET_ALPHABET = b"abcdefghijklmnopqrstuvwxyz123456"
_GROUP = 8
"""Letters of a group in base 32; what is missing of one is padding."""


def encode_secret(secret: Secret) -> str:
    """Return a secret's request: protobuf text in an alphabet of base 32 of its own."""
    text = text_format.MessageToString(secret, as_one_line=True)
    encoded = base64.b32encode(text.encode()).rstrip(b"=")
    return encoded.translate(bytes.maketrans(_RFC_ALPHABET, _SECRET_ALPHABET)).decode()


def requested_secrets(annotations: Mapping[str, str]) -> list[Secret]:
    """Return the secrets that a pod asks for.

    :raises InvalidInput: if one cannot be read
    """
    found = []
    for name in sorted(name for name in annotations if name.startswith(SECRET_ANNOTATION)):
        encoded = annotations[name].encode().translate(bytes.maketrans(_SECRET_ALPHABET, _RFC_ALPHABET))
        try:
            text = base64.b32decode(encoded + b"=" * (-len(encoded) % _GROUP)).decode()
            found.append(text_format.Parse(text, Secret()))
        except (binascii.Error, UnicodeDecodeError, text_format.ParseError) as error:
            raise InvalidInput(f"annotation {name} is no request for a secret: {error}", field=name) from error
    return found
