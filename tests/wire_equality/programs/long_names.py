from flyte_kit import task, workflow


@task
def a_function_with_a_name_that_is_a_good_deal_longer_than_anybody_would_ever_want_to_read(x: int) -> int:
    return x


@workflow
def CamelCaseWorkflow(x: int) -> int:
    y = a_function_with_a_name_that_is_a_good_deal_longer_than_anybody_would_ever_want_to_read(x=x)
    return a_function_with_a_name_that_is_a_good_deal_longer_than_anybody_would_ever_want_to_read(x=y).with_overrides(
        node_name="a_Node.With-AllKinds_of_Characters"
    )
