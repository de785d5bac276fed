"""What is there without any further package, as a plugin like every other: object storage in files.

The scheme ``file`` serves ``file://<bucket>/<key>`` from a folder. Settings (``plugins.file``): ``root``, the folder,
and ``buckets``, the names of the buckets (``[flyte]``).
"""

from __future__ import annotations

from pathlib import Path

from flyte_core.builtin.file_store import FileStore
from flyte_core.errors import ConfigError
from flyte_core.hookspecs import StorageContext, hookimpl
from flyte_core.storage import BlobStore

__all__ = ["FileStore", "flyte_storage"]

SCHEME = "file"


@hookimpl
def flyte_storage(ctx: StorageContext) -> BlobStore | None:
    """Serve the scheme ``file``."""
    if ctx.scheme != SCHEME:
        return None
    root = ctx.config.get("root")
    buckets = ctx.config.get("buckets", ["flyte"])
    if not isinstance(root, str) or not Path(root).is_absolute():
        raise ConfigError(f"plugins.file.root must be the absolute path of a folder, not {root!r}")
    if not isinstance(buckets, list) or not buckets or not all(isinstance(bucket, str) for bucket in buckets):
        raise ConfigError(f"plugins.file.buckets must be a list of names, not {buckets!r}")
    return FileStore(Path(root), [f"{SCHEME}://{bucket}" for bucket in buckets], clock=ctx.clock)
