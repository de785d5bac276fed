from flyte_kit import Resources, task


@task(requests=Resources(cpu="1", mem="2Gi"), limits=Resources(cpu="2", mem="4Gi", gpu="1", ephemeral_storage="5Gi"))
def classic(x: int) -> int:
    return x


@task(resources=Resources(cpu=("1", "2"), mem="1Gi", gpu="1"))
def pairs(x: int) -> int:
    return x


@task(requests=Resources(cpu="0.5", mem="1024"))
def numbers(x: int) -> int:
    return x
