from datetime import timedelta

from flyte_kit import Cache, Resources, task, workflow
from flyte_kit.extras.accelerators import T4


@task
def work(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    a = work(x=x).with_overrides(node_name="My_First.Node", name="shown", retries=4, timeout=timedelta(minutes=1))
    b = work(x=a).with_overrides(
        requests=Resources(cpu="1"), limits=Resources(cpu="2", mem="1Gi"), interruptible=True, container_image="other:1"
    )
    c = work(x=b).with_overrides(cache=True, cache_version="4", cache_serialize=True, accelerator=T4)
    d = work(x=c).with_overrides(cache=Cache(version="5"), timeout=30, aliases={"o0": "result"})
    e = work(x=d).with_overrides(resources=Resources(cpu=("1", "3"), mem="2Gi"), shared_memory="1Gi", timeout=None)
    return work(x=e).with_overrides(cache=False)
