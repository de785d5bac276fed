from datetime import datetime
from typing import Annotated

from flyte_kit import Artifact, LaunchPlan, task, workflow
from flyte_kit.core.artifact import Inputs

Simple = Artifact(name="simple")
Keyed = Artifact(name="keyed", partition_keys=["region", "kind"])
Timed = Artifact(name="timed", time_partitioned=True, partition_keys=["k"])


@task
def make(
    region: str, at: datetime
) -> (
    Annotated[int, Simple],
    Annotated[int, Keyed(region=Inputs.region, kind="fixed")],
    Annotated[int, Timed(time_partition=Inputs.at, k="v")],
):
    return 1, 2, 3


@task
def use(x: int) -> int:
    return x


@workflow
def wf(x: int = Keyed.query(region="eu", kind="a")) -> int:
    return use(x=x)
