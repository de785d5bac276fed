"""The conventions of all lists: limits, tokens, sort keys and filters, on both databases."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest, Sort
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, and_, insert, select

from flyte_admin.db import Database
from flyte_admin.db.filters import condition, parse_filters
from flyte_admin.db.listing import LARGEST_PAGE, Join, Listing
from flyte_admin.db.schema import execution_tags, executions, projects, tasks
from flyte_core.errors import InvalidInput

START = datetime(2024, 1, 1, tzinfo=UTC)
KEY = ("execution_project", "execution_domain", "execution_name")
LISTING = Listing(
    "execution",
    executions,
    {"execution_tag": Join(execution_tags, and_(*(executions.c[part] == execution_tags.c[part] for part in KEY)))},
)
NAMES = ("run-a", "run_b", "run%c", "Run-D")


def fill(connection: Connection) -> None:
    for index, name in enumerate(NAMES):
        key = dict(zip(KEY, ("p", "d", name), strict=True))
        values = {
            **key,
            "closure": b"",
            "spec": b"",
            "phase": "SUCCEEDED" if index % 2 else "FAILED",
            "duration": index * 60 * 10**9,
            "created_at": START + timedelta(days=index),
            "started_at": START + timedelta(days=index) if index else None,
        }
        connection.execute(insert(executions), values)
        connection.execute(insert(execution_tags), {**key, "key": f"k{index}", "value": f"v{index}"})
        connection.execute(insert(execution_tags), {**key, "key": "all", "value": f"w{index}"})


def request(filters: str = "", *, limit: int = 10, token: str = "", sort: str = "", up: bool = False) -> Any:
    found = ResourceListRequest(id=NamedEntityIdentifier(), limit=limit, token=token, filters=filters)
    if sort:
        found.sort_by.key = sort
        found.sort_by.direction = Sort.ASCENDING if up else Sort.DESCENDING
    return found


async def names(database: Database, wanted: Any) -> list[str]:
    page = await database.read(LISTING.query(wanted, select(executions)).fetch)
    return [row.execution_name for row in page.rows]


async def test_filters_find_what_they_say(database: Database) -> None:
    await database.write(fill)
    a, b, c, d = NAMES
    for filters, found in [
        ("eq(execution_name,run-a)", [a]),
        ("eq(execution_name, run-a)", [a]),
        ("EQ(execution.execution_name,run-a)", [a]),
        ("ne(phase,FAILED)", [b, d]),
        ("value_in(execution_name,run-a;Run-D)", [a, d]),
        ("value_not_in(execution_name,run-a;Run-D)", [b, c]),
        ("contains(execution_name,un-)", [a, d]),
        ("contains(execution_name,run)", [a, b, c]),
        ("contains(execution_name,%)", [c]),
        ("contains(execution_name,_)", [b]),
        ("not_like(execution_name,run%)", [d]),
        ("gte(duration,120)", [c, d]),
        ("lt(duration,1m30s)", [a, b]),
        ("gt(duration,1.5M)", [c, d]),
        ("gte(created_at,2024-01-03T00:00:00Z)", [c, d]),
        ("gte(created_at,2024-01-03T01:00:00+01:00)+ne(phase,FAILED)", [d]),
        ("lt(created_at,2024-01-02)", [a]),
        ("eq(state,0)+eq(phase,FAILED)", [a, c]),
        ("eq(execution_tag.key,k1)", [b]),
        ("eq(execution_tag.key,all)", [a, b, c, d]),
        ("eq(execution_tag.key,k1)+eq(execution_tag.value,v1)", [b]),
        ("eq(execution_tag.key,k1)+eq(execution_tag.value,w1)", []),
    ]:
        assert await names(database, request(filters)) == found, filters


async def test_pages_follow_each_other_without_gap_or_overlap(database: Database) -> None:
    await database.write(fill)
    token, seen = "", []
    for _ in range(3):  # a full last page is followed by an empty one
        wanted = request(limit=2, token=token, sort="phase", up=True)
        page = await database.read(LISTING.query(wanted, select(executions)).fetch)
        seen += [row.execution_name for row in page.rows]
        token = page.token
    assert token == ""
    assert seen == ["run-a", "run%c", "run_b", "Run-D"]
    assert await names(database, request(limit=2**31)) == list(NAMES)


async def test_rows_without_a_value_sort_alike_on_both_databases(database: Database) -> None:
    await database.write(fill)
    a, b, c, d = NAMES
    assert await names(database, request(sort="started_at", up=True)) == [b, c, d, a]
    assert await names(database, request(sort="started_at")) == [a, d, c, b]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (request(limit=0), "limit"),
        (request(token="-1"), "pagination token -1 for execution"),
        (request(token="x"), "pagination token"),
        (request(token="9" * 30), "pagination token"),
        (request(token="١"), "pagination token"),
        (request(sort="1;drop table executions"), "invalid sort key '1;drop table executions'"),
        (request(sort="closure"), "invalid sort key"),
        (request("eq(name,x)"), "'execution.name' is invalid filter"),
        (request("eq(closure,x)"), "invalid filter"),
        (request("eq(1=1 or id,x)"), "invalid filter"),
        (request("eq(workflow.name,x)"), "'workflow' entity is not allowed in filters"),
        (request("eq(execution_tag.nothing,x)"), "'execution_tag.nothing' is invalid filter"),
        (request("like(phase,x)"), "unrecognized filter function: like"),
        (request("eq(phase)"), "invalid value for filters"),
        (request("eq(phase,x"), "invalid value for filters"),
        (request("phase=x"), "invalid value for filters"),
        (request("eq(state,many)"), "state"),
        (request(f"eq(state,{10**30})"), "64-bit"),
        (request("gt(duration,nan)"), "duration"),
        (request("gt(duration,1x)"), "duration"),
        (request("gt(created_at,yesterday)"), "created_at"),
        (request("contains(created_at,2024)"), "text column"),
        (request("eq(phase,a\0b)"), "NUL"),
        (request("eq(phase," + "x" * 70_000 + ")"), "at most"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_list_requests_are_refused(wanted: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=None) as caught:
        LISTING.query(wanted, select(executions))
    assert words in str(caught.value)


def test_an_empty_sort_is_refused_and_a_page_has_a_largest_size() -> None:
    empty = request()
    empty.sort_by.SetInParent()
    with pytest.raises(InvalidInput, match="invalid sort key ''"):
        LISTING.query(empty, select(executions))
    assert LISTING.query(request(limit=2**32 - 1), select(executions)).limit == LARGEST_PAGE


async def test_values_are_never_sql(database: Database) -> None:
    await database.write(fill)
    for value in ("'; DROP TABLE executions; --", '" OR 1=1', "x' OR 'a'='a", "\\"):
        for function in ("eq", "contains", "value_in", "not_like"):
            await names(database, request(f"{function}(phase,{value})"))
    assert len(await names(database, request())) == len(NAMES)


@given(st.text(max_size=60) | st.from_regex(r"(eq|gt|contains|value_in)\((phase|state|duration|created_at),.{1,20}\)"))
@settings(max_examples=300, deadline=None)
def test_any_text_is_either_a_filter_or_an_invalid_input(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        for term in parse_filters(text):
            if term.field in executions.c:
                condition(term, executions.c[term.field])


async def test_a_list_without_limit_gives_all(database: Database) -> None:
    rows = [{"identifier": f"p{n}", "name": "p"} for n in range(3)]
    await database.write(lambda connection: connection.execute(insert(projects), rows))
    listing = Listing("project", projects)
    everything = listing.query(request(limit=0), select(projects), unlimited=True)
    assert len((await database.read(everything.fetch)).rows) == 3


async def test_groups_sort_by_their_newest_member(database: Database) -> None:
    def add(connection: Connection) -> None:
        for number, name in enumerate(("a", "b", "a")):
            values = {"closure": b"", "digest": b"", "type": "t", "created_at": START + timedelta(days=number)}
            key = {"project": "p", "domain": "d", "name": name, "version": str(number)}
            connection.execute(insert(tasks), {**key, **values})

    await database.write(add)
    grouped = Listing("task", tasks).query(
        request(sort="created_at"), select(tasks.c.name).group_by(tasks.c.name), grouped=True
    )
    assert (await database.read(grouped.fetch)).rows == [("a",), ("b",)]
