from typing import List

from flyte_kit import kwtypes, map_task, workflow
from flyte_kit.core.interface import Interface
from flyte_kit.core.python_function_task import PythonInstanceTask


class Mine(PythonInstanceTask):
    def __init__(self, name, **kwargs):
        super().__init__(name, None, task_type="my-type", interface=Interface(kwtypes(x=int), kwtypes(y=str)), **kwargs)

    def execute(self, **kwargs):
        return str(kwargs["x"])

    def get_custom(self, settings):
        return {"k": [1, {"a": None}], "project": settings.project}

    def get_config(self, settings):
        return {"c": "d"}


mine = Mine("instance.mine")


@workflow
def wf(x: int) -> str:
    return mine(x=x)


@workflow
def mapped(xs: List[int]) -> List[str]:
    return map_task(mine)(x=xs)
