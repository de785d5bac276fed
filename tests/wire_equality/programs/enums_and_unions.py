import enum
from typing import List, Literal, Optional, Union

from flyte_kit import task, workflow


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@task
def use(c: Colour, u: Union[int, str, List[int]], o: Optional[Colour], k: Literal["a", "b"]) -> Union[int, None]:
    return 1


@workflow
def wf(
    c: Colour = Colour.BLUE, u: Union[int, str, List[int]] = "x", o: Optional[Colour] = Colour.RED
) -> Union[int, None]:
    return use(c=c, u=u, o=o, k="a")
