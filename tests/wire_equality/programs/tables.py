from typing import Annotated

import pandas as pd
import pyarrow as pa

from flyte_kit import StructuredDataset, kwtypes, task, workflow


@task
def make() -> Annotated[pd.DataFrame, kwtypes(a=int, b=str)]:
    return pd.DataFrame()


@task
def use(df: pd.DataFrame, sd: StructuredDataset, table: pa.Table) -> Annotated[StructuredDataset, "csv"]:
    return sd


@workflow
def wf(sd: StructuredDataset) -> StructuredDataset:
    df = make()
    return use(df=df, sd=df, table=df)
