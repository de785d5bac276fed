from flyte_kit import Workflow, WorkflowFailurePolicy, task


@task
def double(x: int) -> int:
    return 2 * x


@task
def clean_up(x: int) -> None: ...


wb = Workflow(
    name="imperative.failing",
    failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE,
    interruptible=True,
)
wb.add_workflow_input("x", int)
node = wb.add_entity(double, x=wb.inputs["x"])
wb.add_workflow_output("out", node.outputs["o0"])
wb.add_on_failure_handler(clean_up)
