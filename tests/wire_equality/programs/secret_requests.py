from flyte_kit import Secret, task


@task(
    secret_requests=[
        Secret(group="g", key="k"),
        Secret(group="g2", key="k2", group_version="v3", mount_requirement=Secret.MountType.FILE),
        Secret(group="only", mount_requirement=Secret.MountType.ENV_VAR, env_var="TOKEN"),
    ]
)
def a(x: int) -> int:
    return x
