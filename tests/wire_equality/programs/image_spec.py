from flyte_kit import ImageSpec, task

spec = ImageSpec(name="mine", registry="ghcr.io/me", packages=["pandas"], base_image="base:1", builder="noop")


@task(container_image=spec)
def a(x: int) -> int:
    return x


@task(container_image=spec.with_runtime_packages(["requests", "rich"]))
def b(x: int) -> int:
    return x
