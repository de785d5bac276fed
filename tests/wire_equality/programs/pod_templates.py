from kubernetes.client import V1Container, V1EnvVar, V1PodSpec, V1Toleration

from flyte_kit import PodTemplate, Resources, task, workflow


@task(
    pod_template=PodTemplate(
        primary_container_name="main",
        labels={"l": "1"},
        annotations={"a": "2"},
        pod_spec=V1PodSpec(
            containers=[
                V1Container(name="main", env=[V1EnvVar(name="X", value="y")]),
                V1Container(name="side", image="busybox:1"),
            ],
            tolerations=[V1Toleration(key="gpu", operator="Exists")],
        ),
    ),
    environment={"E": "1"},
    requests=Resources(cpu="1"),
)
def inline(x: int) -> int:
    return x


@task(pod_template=PodTemplate(labels={"only": "labels"}), pod_template_name="named")
def both(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return inline(x=x)
