"""The endpoint of the object store, served over real HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import uvicorn

from flyte_admin.object_store import create_object_store_app
from flyte_core.builtin.file_store import FileStore
from flyte_core.builtin.s3_signing import Credentials, S3Signer

CREDENTIALS = Credentials("flyte", "flyte-secret")


@dataclass(frozen=True)
class Endpoint:
    url: str
    store: FileStore
    root: Path

    def client(self, *, secret: str = CREDENTIALS.secret_key, key: str = CREDENTIALS.access_key, **config: Any) -> Any:
        """A boto3 client; further arguments are botocore's."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=botocore.config.Config(signature_version="s3v4", retries={"total_max_attempts": 1}, **config),
        )


@contextmanager
def serve(root: Path, port: int = 0, **options: Any) -> Iterator[Endpoint]:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    store = FileStore(root, ["s3://flyte", "s3://second"], signer=S3Signer(url, CREDENTIALS))
    app = create_object_store_app(store, [CREDENTIALS], **options)
    config = uvicorn.Config(app, http="h11", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield Endpoint(url, store, root)
    finally:
        server.should_exit = True
        thread.join(10)
        store.close()
