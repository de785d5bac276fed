"""Ids as commands take them."""

from __future__ import annotations

import click
import pytest
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier
from hypothesis import given
from hypothesis import strategies as st

from flyte_cli.options.urns import PREFIXES, entity_id, execution_id, urn

PARTS = st.text("abcxyz0189.-_/ é", min_size=1)


@given(PARTS, PARTS, PARTS)
def test_an_execution_is_found_by_the_urn_that_is_printed(project, domain, name) -> None:
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
    assert execution_id(urn(wanted), "other", "elsewhere") == wanted


@given(st.sampled_from(sorted(PREFIXES)), PARTS, PARTS, PARTS, st.text("ab:=_-", min_size=0))
def test_what_is_registered_is_found_by_the_urn_that_is_printed(kind, project, domain, name, version) -> None:
    wanted = Identifier(resource_type=kind, project=project, domain=domain, name=name, version=version)
    assert entity_id(kind, urn(wanted), "other", "elsewhere") == wanted


def test_a_plain_name_is_one_of_the_project_and_domain() -> None:
    assert urn(execution_id("x1", "p", "d")) == "ex:p:d:x1"
    assert urn(entity_id(ResourceType.TASK, "a.b", "p", "d", "v1")) == "tsk:p:d:a.b:v1"


@pytest.mark.parametrize("rest", ["", "/", "/nodes?x=1", "#top"])
def test_the_url_of_a_page_names_its_execution(rest) -> None:
    page = f"https://flyte.example/console/projects/p/domains/d/executions/x1{rest}"
    assert urn(execution_id(page, "other", "elsewhere")) == "ex:p:d:x1"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ex:p:d", "ex:p:d is incomplete: write ex:PROJECT:DOMAIN:NAME"),
        ("ex:p:d:", "incomplete"),
        ("tsk:p:d:n", "tsk:p:d:n names a task; wanted is an execution"),
        ("https://flyte.example/console/projects/p", "no page of an execution"),
    ],
)
def test_what_is_no_id_of_an_execution_is_refused_with_the_right_form(text, complaint) -> None:
    with pytest.raises(click.BadParameter, match=complaint):
        execution_id(text, "p", "d")


def test_two_different_versions_are_refused() -> None:
    with pytest.raises(click.BadParameter, match="leave one out"):
        entity_id(ResourceType.TASK, "tsk:p:d:n:1", "p", "d", "2")
    assert entity_id(ResourceType.TASK, "tsk:p:d:n:1", "p", "d", "1").version == "1"
    assert entity_id(ResourceType.TASK, "tsk:p:d:n", "p", "d", "2").version == "2"
