"""Files to the store, by URLs that the control plane signs."""

from __future__ import annotations

import base64
import hashlib
import http.client
from pathlib import Path
from urllib.parse import urlsplit

from flyteidl.service.dataproxy_pb2 import CreateUploadLocationRequest, CreateUploadLocationResponse

from flyte_kit.exceptions.system import FlyteUploadDataException
from flyte_kit.exceptions.user import FlyteValueException
from flyte_kit.remote.client import Client

TIMEOUT_SECONDS = 120
_STORED = {http.client.OK, http.client.CREATED}


def upload(
    client: Client, content: bytes, *, project: str, domain: str, name: str, root: str = ""
) -> tuple[bytes, str]:
    """Store bytes; return their md5 and the URI by which tasks read them.

    :param name: of the file
    :param root: folder that several files share; one made of the content without it
    :raises FlyteValueException: if the store refuses
    :raises FlyteUploadDataException: if it does not answer
    """
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    request = CreateUploadLocationRequest(
        project=project,
        domain=domain,
        filename=name,
        content_md5=digest,
        filename_root=root,
        add_content_md5_metadata=True,
    )
    place: CreateUploadLocationResponse = client.call(client.data_proxy.CreateUploadLocation, request)
    _put(place, content, digest)
    return digest, str(place.native_url)


def upload_file(client: Client, path: Path, *, project: str, domain: str, root: str = "") -> tuple[bytes, str]:
    """Store a local file; see :func:`upload`."""
    return upload(client, path.read_bytes(), project=project, domain=domain, name=path.name, root=root)


def _put(place: CreateUploadLocationResponse, content: bytes, digest: bytes) -> None:
    url = urlsplit(place.signed_url)
    headers = {"Content-Length": str(len(content)), "Content-MD5": base64.b64encode(digest).decode(), **place.headers}
    if place.native_url.startswith("abfs://"):
        headers["x-ms-blob-type"] = "BlockBlob"
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc, timeout=TIMEOUT_SECONDS)
    try:
        target = url.path + (f"?{url.query}" if url.query else "")
        connection.request("PUT", target, body=content, headers=headers)
        response = connection.getresponse()
        body = response.read()
    except OSError as error:
        raise FlyteUploadDataException(f"PUT to {url.scheme}://{url.netloc} failed: {error}") from error
    finally:
        connection.close()
    if response.status not in _STORED:
        shown = f"{url.scheme}://{url.netloc}{url.path}"
        raise FlyteValueException(response.status, f"Request to send data {shown} failed: {body[:500]!r}")
