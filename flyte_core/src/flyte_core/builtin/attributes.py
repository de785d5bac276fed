"""What a store keeps of an object beside its bytes: in a file of its own, and only where there is something to keep.

Such a file is named after the key *and* the version of the data (its time stamp and size), so that neither a crash
between two writes nor an overwrite can give one version the attributes of another.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from flyte_core.errors import SystemFault


@dataclass(frozen=True, slots=True)
class Attributes:
    """What was given with an object when it was written.

    :ivar metadata: user metadata, keys in lower case
    :ivar headers: HTTP headers to be returned with the object (``content-type``, …), keys in lower case
    :ivar etag: the entity tag where it says something of the content (md5 in hexadecimal), else empty
    :ivar upload_id: of the multipart upload that made the object
    """

    metadata: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    upload_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.metadata or self.headers or self.etag or self.upload_id)

    def encode(self) -> bytes:
        """Return the content of the file."""
        content = {"metadata": self.metadata, "headers": self.headers, "etag": self.etag, "upload_id": self.upload_id}
        return json.dumps({name: value for name, value in content.items() if value}).encode()

    @classmethod
    def decode(cls, data: bytes, source: str) -> Attributes:
        """Return what :meth:`encode` wrote.

        :param source: named in the error
        :raises SystemFault: if the file is damaged
        """
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError) as error:
            raise SystemFault(f"the attributes of {source} are damaged") from error


NONE = Attributes()


def attributes_file(key: str, version: str) -> str:
    """Return the name of the file that holds the attributes of one version of an object."""
    return hashlib.sha256(f"{version}/{key}".encode()).hexdigest()[:40]
