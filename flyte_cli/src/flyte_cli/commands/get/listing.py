"""The options that all lists share: which rows, in which order, how many, and in which form."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from flyteidl.admin.common_pb2 import Sort

from flyte_cli.options.filters import filter_term
from flyte_cli.showing.output import rows_output_option
from flyte_cli.showing.times import since

DEFAULT_LIMIT = 100
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list is to hold.

    :ivar filters: in the control plane's language
    :ivar limit: None for all rows
    :ivar output: one of the formats
    """

    filters: str
    sort: Sort
    limit: int | None
    output: str

    def and_filter(self, term: str) -> str:
        """Return the filters with one more."""
        return "+".join(filter(None, (self.filters, term)))


def listing_options(
    phases: Sequence[str] = (), sort_key: str = "created_at", *, ordered: bool = True
) -> Callable[[F], F]:
    """Return a decorator that adds the options to a command, which takes them as one argument ``listing``.

    :param phases: names of the phases that ``--phase`` takes; without any there is no such option
    :param sort_key: of the order where none is asked for
    :param ordered: whether users choose the order
    """
    options = [
        click.option(
            "--filter",
            "filters",
            multiple=True,
            metavar="FILTER",
            help="Only rows for which this holds, such as `contains(name,train)`, `name contains train`, `version=v1` "
            "or `phase in (FAILED;ABORTED)`; may be given many times.",
        ),
        click.option(
            "--since", "begin", metavar="TIME", help="Only what was created since: 1h30m, 7d, today, 2024-01-31T12:00Z."
        ),
        click.option(
            "-l",
            "--limit",
            type=click.IntRange(min=1),
            default=DEFAULT_LIMIT,
            show_default=True,
            help="At most so many.",
        ),
        click.option("--all", "everything", is_flag=True, help="All, however many there are."),
        rows_output_option,
        *_FLYTECTL,
    ]
    if ordered:
        options.insert(2, click.option("--asc", is_flag=True, help="Smallest or oldest first."))
        options.insert(
            2, click.option("--sort-by", default=sort_key, show_default=True, metavar="FIELD", help="Order.")
        )
    if phases:
        options.insert(1, phase_option(phases))

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **given: Any) -> Any:
            listing = _listing(given, given.pop("phases", ()))
            return function(*args, listing=listing, **given)

        return functools.reduce(lambda inner, option: option(inner), reversed(options), run)  # type: ignore[return-value]

    return decorate


_FLYTECTL = (
    click.option("--filter.fieldSelector", "selector", default="", hidden=True),
    click.option("--filter.limit", "its_limit", type=click.IntRange(min=1), hidden=True),
    click.option("--filter.sortBy", "its_sort", default="", hidden=True),
    click.option("--filter.asc", "its_asc", is_flag=True, hidden=True),
)
"""flytectl's spellings of the same; its selectors are joined with commas."""


def phase_option(phases: Sequence[str]) -> Callable[[F], F]:
    """Return the option ``--phase``."""
    return click.option(
        "--phase",
        "phases",
        multiple=True,
        type=click.Choice(phases, case_sensitive=False),
        metavar="PHASE",
        help=f"Only those in this phase; may be given many times. Phases: {' '.join(phases)}.",
    )


def _listing(given: dict[str, Any], phases: Sequence[str]) -> Listing:
    selectors = given.pop("selector").split(",")
    terms = [filter_term(text) for text in (*given.pop("filters"), *filter(None, selectors))]
    if phases:
        terms.append(f"value_in(phase,{';'.join(phases)})")
    if begin := given.pop("begin"):
        terms.append(f"gte(created_at,{since(begin).isoformat()})")
    is_ascending = any([given.pop("asc", False), given.pop("its_asc")])
    keys = [given.pop("its_sort"), given.pop("sort_by", "")]
    limits = [given.pop("its_limit"), given.pop("limit")]
    return Listing(
        filters="+".join(terms),
        sort=Sort(key=next(filter(None, keys), ""), direction=Sort.ASCENDING if is_ascending else Sort.DESCENDING),
        limit=None if given.pop("everything") else next(filter(None, limits)),
        output=given.pop("output"),
    )
