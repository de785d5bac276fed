"""Flyte in Python: the SDK."""

from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.hash import HashMethod
from flyte_kit.types.file import FlyteFile
from flyte_kit.types.directory import FlyteDirectory
from flyte_kit.types.structured import StructuredDataset
import collections


def kwtypes(**k):
    return collections.OrderedDict(k)
