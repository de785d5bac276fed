from flyte_kit import kwtypes, workflow
from flyte_kit.extras.sqlite3.task import SQLite3Config, SQLite3Task
from flyte_kit.types.schema import FlyteSchema

query = SQLite3Task(
    name="sqlite.query",
    query_template="""select TrackId, Name
        from tracks limit {{.inputs.limit}}""",
    inputs=kwtypes(limit=int),
    output_schema_type=FlyteSchema[kwtypes(TrackId=int, Name=str)],
    task_config=SQLite3Config(uri="https://example.org/chinook.zip", compressed=True),
)


@workflow
def wf(limit: int) -> FlyteSchema[kwtypes(TrackId=int, Name=str)]:
    return query(limit=limit)
