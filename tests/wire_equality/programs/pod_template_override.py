from kubernetes.client import V1PodSpec, V1Toleration

from flyte_kit import PodTemplate, task, workflow


@task
def plain(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return plain(x=x).with_overrides(
        pod_template=PodTemplate(
            primary_container_name="primary",
            labels={"k": "v"},
            annotations={"n": "m"},
            pod_spec=V1PodSpec(containers=[], tolerations=[V1Toleration(key="spot", operator="Exists")]),
        )
    )
