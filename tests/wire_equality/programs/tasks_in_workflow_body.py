from flyte_kit import task, workflow
from flyte_kit.core.class_based_resolver import ClassStorageTaskResolver
from flyte_kit.core.base_task import TaskMetadata
from flyte_kit.core.python_function_task import PythonFunctionTask


def function(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    inside = PythonFunctionTask(task_config=None, task_function=function, metadata=TaskMetadata(retries=1))
    return inside(x=x)
