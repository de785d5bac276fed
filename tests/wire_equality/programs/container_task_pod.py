from kubernetes.client import V1PodSpec, V1Toleration

from flyte_kit import ContainerTask, PodTemplate, kwtypes

raw = ContainerTask(
    name="raw_pod",
    image="alpine:3",
    inputs=kwtypes(a=int),
    command=["echo", "{{.inputs.a}}"],
    pod_template=PodTemplate(pod_spec=V1PodSpec(containers=[], tolerations=[V1Toleration(key="k")])),
    pod_template_name="name",
)
