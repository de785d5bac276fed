"""Types of blobs and enums, under flytekit's module name."""

from flyteidl.core.types_pb2 import BlobType, EnumType

__all__ = ["BlobType", "EnumType"]
