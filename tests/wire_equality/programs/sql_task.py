from flyte_kit import SQLTask, kwtypes, workflow

query = SQLTask(
    name="sql.query",
    query_template="""
        select *
        from t where x = {{ .inputs.x }}
    """,
    inputs=kwtypes(x=int),
    outputs=kwtypes(n=int),
)


@workflow
def wf(x: int) -> int:
    return query(x=x)
