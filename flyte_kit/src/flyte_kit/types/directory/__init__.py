"""Folders: every object below a prefix."""

from typing import Annotated

from flyte_kit.types.blob_format import FileExt
from flyte_kit.types.directory.types import FlyteDirectory

tensorboard = Annotated[str, FileExt("tensorboard")]
tfrecords_dir = Annotated[str, FileExt("tfrecords_dir")]

TensorboardLogs = FlyteDirectory[tensorboard]
TFRecordsDirectory = FlyteDirectory[tfrecords_dir]

__all__ = ["FlyteDirectory", "TFRecordsDirectory", "TensorboardLogs"]
