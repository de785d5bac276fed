from flyte_kit import AuthRole, LaunchPlan, SecurityContext, task, workflow
from flyte_kit.models.common import RawOutputDataConfig
from flyte_kit.models.security import Identity


@task
def work(a: int) -> int:
    return a


@workflow
def wf(a: int) -> int:
    return work(a=a)


account = LaunchPlan.create(
    "account",
    wf,
    security_context=SecurityContext(run_as=Identity(k8s_service_account="sa", iam_role="role")),
    raw_output_data_config=RawOutputDataConfig(output_location_prefix="s3://bucket/prefix"),
)
role = LaunchPlan.create("role", wf, auth_role=AuthRole(assumable_iam_role="iam", kubernetes_service_account="sa"))
