"""What shells offer while a command is typed: for ``shell_complete`` of options and arguments.

The control plane is asked (:mod:`flyte_cli.options.completion_lookups`), which is imported when a shell asks and not
before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from flyte_core.errors import FlyteError

OFFERED = 100
"""Values at most."""

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def completer(look_up: str, **fixed: Any) -> Completer:
    """Return what click calls: it gives the values that begin like the word being typed.

    A shell cannot show errors, they would end up in the middle of what is being typed: without a server there is
    nothing to offer.

    :param look_up: function of :mod:`flyte_cli.options.completion_lookups`; takes the parameters typed so far, and the
        word
    :param fixed: further arguments of it
    """

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        find: Callable[..., Iterable[str]] = getattr(
            importlib.import_module("flyte_cli.options.completion_lookups"), look_up
        )
        typed: Mapping[str, Any] = ctx.params
        try:
            found = dict.fromkeys(find(typed, incomplete, **fixed))
        except (FlyteError, click.UsageError):
            return []
        return [CompletionItem(each) for each in found if each.startswith(incomplete)][:OFFERED]

    return complete


projects = completer("projects")
domains = completer("domains")
executions = completer("executions")
nodes = completer("nodes")
task_names = completer("names", method="ListTaskIds")
task_versions = completer("versions", method="ListTasks", field="tasks")
workflow_names = completer("names", method="ListWorkflowIds")
workflow_versions = completer("versions", method="ListWorkflows", field="workflows")
launch_plan_names = completer("names", method="ListLaunchPlanIds")
launch_plan_versions = completer("versions", method="ListLaunchPlans", field="launch_plans")
