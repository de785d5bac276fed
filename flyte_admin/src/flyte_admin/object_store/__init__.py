"""An S3-speaking endpoint over the file store, so that every S3 client reads and writes a laptop's data folder."""

from flyte_admin.object_store.app import create_object_store_app

__all__ = ["create_object_store_app"]
