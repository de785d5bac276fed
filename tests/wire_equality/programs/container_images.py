from flyte_kit import task


@task(container_image="docker.io/me/image:v1")
def plain(x: int) -> int:
    return x


@task(container_image="{{.image.default.fqn}}:{{.image.default.version}}-spark")
def template(x: int) -> int:
    return x


@task(container_image="{{.image.other}}")
def named(x: int) -> int:
    return x


@task(container_image="{{ .image.other.fqn }}:{{.image.default.version}}")
def mixed(x: int) -> int:
    return x
