from flyte_kit import Resources, task
from flyte_kit.extras.accelerators import A100, T4, V5E, GPUAccelerator


@task(limits=Resources(gpu="1"), accelerator=T4)
def simple(x: int) -> int:
    return x


@task(limits=Resources(gpu="1"), accelerator=A100.partition_2g_10gb, shared_memory=True)
def part(x: int) -> int:
    return x


@task(accelerator=A100.unpartitioned, shared_memory="2Gi")
def whole(x: int) -> int:
    return x


@task(accelerator=V5E.slice_2x4)
def slice_of_tpu(x: int) -> int:
    return x


@task(accelerator=GPUAccelerator("nvidia-own"))
def own(x: int) -> int:
    return x
