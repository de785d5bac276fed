"""The two ways to write a filter: the control plane's (``eq(name,x)``) and flytectl's field selectors (``name=x``)."""

from __future__ import annotations

import re

import click

FUNCTIONS = ("eq", "ne", "gt", "gte", "lt", "lte", "contains", "not_like", "value_in", "value_not_in")
_CALL = re.compile(r"\s*(\w+)\s*\(\s*([\w.]+)\s*,(.*)\)\s*", re.DOTALL)
_SELECTOR = re.compile(r"\s*([\w.]+)\s*(!=|>=|<=|=|>|<|\s+contains\s+|\s+in\s+)\s*(.+?)\s*", re.DOTALL)
_OPERATORS = {
    "=": "eq",
    "!=": "ne",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
    "contains": "contains",
    "in": "value_in",
}
_OF_EXECUTIONS = {"name": "execution_name", "project": "execution_project", "domain": "execution_domain"}


def filter_term(text: str) -> str:
    """Return a filter in the control plane's form.

    :raises click.BadParameter: if it has neither form
    """
    if called := _CALL.fullmatch(text):
        function, field, value = called.groups()
        if function.lower() not in FUNCTIONS:
            raise click.BadParameter(f"{text!r}: there is no {function}; functions are {' '.join(FUNCTIONS)}")
        return f"{function.lower()}({field},{value})"
    selected = _SELECTOR.fullmatch(text)
    if not selected:
        raise click.BadParameter(f"{text!r} is no filter; write for example name=x, 'name contains x' or eq(name,x)")
    field, operator, value = selected.groups()
    function = _OPERATORS[operator.strip()]
    return f"{function}({field},{value.strip('()') if function == 'value_in' else value})"


def of_executions(filters: str) -> str:
    """Return filters of executions with the names that their columns have: ``execution_name`` for ``name``, …"""
    return re.sub(
        r"(?:^|(?<=\)\+))(\w+)\((name|project|domain),",
        lambda found: f"{found[1]}({_OF_EXECUTIONS[found[2]]},",
        filters,
    )


def execution_field(name: str) -> str:
    """Return the column of executions by that name, for sorting."""
    return _OF_EXECUTIONS.get(name, name)
