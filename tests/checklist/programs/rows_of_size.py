"""What a user would write: a very large workflow."""

from flyte_kit import ImperativeWorkflow, task


@task
def next_of(x: int, label: str) -> int:
    return x + 1


def very_long() -> ImperativeWorkflow:
    made = ImperativeWorkflow(name="rows.very_long")
    x = made.add_workflow_input("x", int)
    for index in range(3000):
        x = made.add_entity(next_of, x=x, label=f"{index:05}" * 40).outputs["o0"]
    made.add_workflow_output("o0", x)
    return made
