"""Object storage in S3: AWS's, and everything that speaks its protocol. Settings: :class:`S3Config`."""

from __future__ import annotations

from flyte_core.hookspecs import StorageContext, hookimpl
from flyte_core.storage import BlobStore
from flyte_plugin_s3.config import S3Config
from flyte_plugin_s3.store import S3Store

__all__ = ["S3Config", "S3Plugin", "S3Store", "plugin"]


class S3Plugin:
    """The plugin: what the entry point names."""

    @hookimpl
    def flyte_storage(self, ctx: StorageContext) -> BlobStore | None:
        """Serve the scheme ``s3``."""
        return S3Store(S3Config.parse(ctx.config), ctx.clock) if ctx.scheme == "s3" else None


plugin = S3Plugin()
