from flyte_kit import kwtypes, workflow
from flyte_kit.extras.tasks.shell import OutputLocation, ShellTask
from flyte_kit.types.directory import FlyteDirectory
from flyte_kit.types.file import FlyteFile

count = ShellTask(
    name="shell.count",
    script="wc {inputs.f} > {outputs.o}",
    inputs=kwtypes(f=FlyteFile, n=int),
    output_locs=[
        OutputLocation(var="o", var_type=FlyteFile, location="{inputs.n}.txt"),
        OutputLocation(var="d", var_type=FlyteDirectory, location="."),
    ],
)


@workflow
def wf(f: FlyteFile) -> FlyteFile:
    o, d = count(f=f, n=1)
    return o
