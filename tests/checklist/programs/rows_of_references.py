"""What a user would write: workflows that call what others have registered."""

from flyte_kit import reference_launch_plan, reference_task, reference_workflow, workflow


@reference_task(project="flytesnacks", domain="development", name="rows_of_workflows.double", version="known-1")
def known_task(x: int) -> int: ...


@reference_workflow(project="flytesnacks", domain="development", name="rows_of_workflows.outer", version="known-1")
def known_workflow(x: int) -> int: ...


@reference_launch_plan(project="flytesnacks", domain="development", name="rows_of_workflows.outer", version="known-1")
def known_plan(x: int) -> int: ...


@workflow
def by_reference(x: int) -> int:
    return known_task(x=known_task(x=x))


@workflow
def by_launch_plan(x: int) -> int:
    return known_plan(x=x)
