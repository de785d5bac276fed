from datetime import datetime, timedelta

from flyte_kit import (
    Annotations,
    CronSchedule,
    Email,
    FixedRate,
    Labels,
    LaunchPlan,
    PagerDuty,
    Slack,
    WorkflowExecutionPhase,
    task,
    workflow,
)


@task
def work(a: int, b: str) -> str:
    return b


@workflow
def wf(a: int, b: str = "b", at: datetime = datetime(2020, 1, 1)) -> str:
    return work(a=a, b=b)


default = LaunchPlan.get_or_create(wf)
fixed = LaunchPlan.get_or_create(wf, "fixed", default_inputs={"b": "default"}, fixed_inputs={"a": 3})
hourly = LaunchPlan.create(
    "hourly",
    wf,
    fixed_inputs={"a": 1},
    schedule=CronSchedule(schedule="0 */2 * * 1-5", kickoff_time_input_arg="at"),
    max_parallelism=5,
    overwrite_cache=True,
)
alias = LaunchPlan.create("alias", wf, fixed_inputs={"a": 1}, schedule=CronSchedule(schedule="@daily", offset="PT5M"))
rates = [
    LaunchPlan.create(f"rate{i}", wf, fixed_inputs={"a": 1}, schedule=FixedRate(duration=duration))
    for i, duration in enumerate(
        [timedelta(minutes=10), timedelta(hours=2), timedelta(days=3), timedelta(hours=25), timedelta(minutes=61)]
    )
]
noisy = LaunchPlan.create(
    "noisy",
    wf,
    default_inputs={"a": 2},
    notifications=[
        Email(phases=[WorkflowExecutionPhase.SUCCEEDED], recipients_email=["a@b.org"]),
        Slack(phases=[WorkflowExecutionPhase.FAILED, WorkflowExecutionPhase.ABORTED], recipients_email=["c@d.org"]),
        PagerDuty(phases=[WorkflowExecutionPhase.TIMED_OUT], recipients_email=["e@f.org"]),
    ],
    labels=Labels({"l": "1"}),
    annotations=Annotations({"n": "2"}),
    auto_activate=True,
)
