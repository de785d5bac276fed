"""What authors of plugins import, under flytekit's module name."""

from flyte_kit.configuration import Image, ImageConfig, SerializationSettings
from flyte_kit.core.base_sql_task import SQLTask
from flyte_kit.core.base_task import IgnoreOutputs, PythonTask, TaskResolverMixin
from flyte_kit.core.class_based_resolver import ClassStorageTaskResolver
from flyte_kit.core.context_manager import ExecutionState, SecretsManager
from flyte_kit.core.interface import Interface
from flyte_kit.core.promise import Promise
from flyte_kit.core.python_customized_container_task import PythonCustomizedContainerTask
from flyte_kit.core.python_function_task import PythonFunctionTask, PythonInstanceTask
from flyte_kit.core.shim_task import ExecutableTemplateShimTask, ShimTaskExecutor
from flyte_kit.core.task import TaskPlugins
from flyte_kit.core.type_engine import AsyncTypeTransformer, TypeEngine, TypeTransformer
from flyte_kit.tools.translator import get_serializable
from flyte_kit.transformers.collections import DictTransformer

__all__ = [
    "AsyncTypeTransformer",
    "ClassStorageTaskResolver",
    "DictTransformer",
    "ExecutableTemplateShimTask",
    "ExecutionState",
    "IgnoreOutputs",
    "Image",
    "ImageConfig",
    "Interface",
    "Promise",
    "PythonCustomizedContainerTask",
    "PythonFunctionTask",
    "PythonInstanceTask",
    "PythonTask",
    "SQLTask",
    "SecretsManager",
    "SerializationSettings",
    "ShimTaskExecutor",
    "TaskPlugins",
    "TaskResolverMixin",
    "TypeEngine",
    "TypeTransformer",
    "get_serializable",
]
