"""Folders: every object below a prefix."""

from typing import Any

from flyte_kit.types.blob_format import with_format
from flyte_kit.types.directory.types import FlyteDirectory

TensorboardLogs: Any = with_format(FlyteDirectory, "tensorboard")
TFRecordsDirectory: Any = with_format(FlyteDirectory, "tfrecords_dir")

__all__ = ["FlyteDirectory", "TFRecordsDirectory", "TensorboardLogs"]
