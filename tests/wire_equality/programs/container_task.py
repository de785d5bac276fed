from flyte_kit import ContainerTask, Resources, Secret, kwtypes, workflow
from flyte_kit.types.file import FlyteFile

raw = ContainerTask(
    name="raw",
    image="alpine:3",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(name=str, file=FlyteFile),
    outputs=kwtypes(size=int),
    command=["sh", "-c", "wc -c /var/inputs/file > /var/outputs/size"],
    arguments=["{{.inputs.name}}"],
    requests=Resources(cpu="1"),
    secret_requests=[Secret(group="g", key="k")],
    environment={"E": "1"},
)
streaming = ContainerTask(
    name="streaming",
    image="alpine:3",
    command=["true"],
    metadata_format=ContainerTask.MetadataFormat.YAML,
)


@workflow
def wf(name: str, file: FlyteFile) -> int:
    return raw(name=name, file=file)
