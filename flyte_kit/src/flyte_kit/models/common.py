"""Labels and the like, under flytekit's module name."""

from flyteidl.admin.common_pb2 import AuthRole, RawOutputDataConfig

from flyte_kit.core.options import Annotations, Labels

__all__ = ["Annotations", "AuthRole", "Labels", "RawOutputDataConfig"]
