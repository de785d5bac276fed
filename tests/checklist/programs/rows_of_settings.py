"""What a user would write: tasks whose surroundings matter."""

import os

from flyte_kit import Secret, current_context, task, workflow


@task(environment={"OF_TASK": "task"})
def variables() -> list[str]:
    return [os.environ.get(name, "") for name in ("OF_TASK", "OF_BOTH", "OF_RUN")]


certificate = Secret(group="rows", key="cert", mount_requirement=Secret.MountType.FILE)


@task(secret_requests=[Secret(group="rows", key="password"), certificate])
def secrets_of_this_run() -> str:
    secrets = current_context().secrets
    variables = [name for name in os.environ if name.startswith("_FSEC_")]
    return f"{secrets.get('rows', 'password')}{secrets.get('rows', 'cert')} {' '.join(variables)}"


@task(interruptible=True)
def may_be_interrupted() -> int:
    return 1


@task(interruptible=False)
def must_not_be_interrupted() -> int:
    return 1


@task
def says_nothing() -> int:
    return 1


@workflow(interruptible=True)
def interruptible_workflow() -> tuple[int, int, int]:
    return may_be_interrupted(), must_not_be_interrupted(), says_nothing()


@workflow
def plain_workflow() -> tuple[int, int, int]:
    return may_be_interrupted(), must_not_be_interrupted(), says_nothing()
