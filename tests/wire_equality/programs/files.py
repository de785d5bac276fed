from typing import List, Optional

from flyte_kit import FlyteDirectory, FlyteFile, task, workflow
from flyte_kit.types.file import CSVFile, JPEGImageFile


@task
def make(
    a: FlyteFile, b: FlyteFile["csv"], c: CSVFile, d: FlyteDirectory, e: Optional[JPEGImageFile]
) -> List[FlyteFile]:
    return [a]


@workflow
def wf(
    a: FlyteFile = FlyteFile("s3://bucket/a"), d: FlyteDirectory = FlyteDirectory("s3://bucket/d")
) -> List[FlyteFile]:
    return make(a=a, b=FlyteFile["csv"]("s3://bucket/b.csv"), c="s3://bucket/c.csv", d=d, e=None)
