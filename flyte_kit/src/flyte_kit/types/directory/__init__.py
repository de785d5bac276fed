"""Folders: every object below a prefix."""

from typing import Any

from flyte_kit.types.directory.types import FlyteDirectory

TensorboardLogs: Any = FlyteDirectory["tensorboard"]
TFRecordsDirectory: Any = FlyteDirectory["tfrecords_dir"]

__all__ = ["FlyteDirectory", "TFRecordsDirectory", "TensorboardLogs"]
