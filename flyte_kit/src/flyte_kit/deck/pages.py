"""The pages that the SDK adds to a run's deck."""

from __future__ import annotations

import inspect
from typing import Any

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.deck.deck import Deck, output_deck
from flyte_kit.deck.fields import DeckField
from flyte_kit.deck.renderer import PythonDependencyRenderer, SourceCodeRenderer
from flyte_kit.loggers import logger


def write_pages(ctx: FlyteContext, task: Any, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
    """Make the pages that a task asks for; on a local run write the document too."""
    parameters = ctx.user_space_params
    if parameters is None:
        return
    fields = task.deck_fields
    if DeckField.TIMELINE in fields:
        parameters.decks.append(parameters.timeline_deck) if parameters.timeline_deck not in parameters.decks else None
    source = _source(task)
    if DeckField.SOURCE_CODE in fields and source:
        Deck(DeckField.SOURCE_CODE.value, SourceCodeRenderer().to_html(source))
    if DeckField.DEPENDENCIES in fields:
        Deck(DeckField.DEPENDENCIES.value, PythonDependencyRenderer().to_html())
    interface = task.python_interface
    if DeckField.INPUT in fields:
        Deck(DeckField.INPUT.value, _values(ctx, inputs, interface.inputs))
    if DeckField.OUTPUT in fields:
        Deck(DeckField.OUTPUT.value, _values(ctx, outputs, interface.outputs))
    if ctx.local_mode:
        logger.info("The deck of %s is at %s", task.name, output_deck(ctx, task.name, parameters))


def _values(ctx: FlyteContext, values: dict[str, Any], types: dict[str, Any]) -> str:
    return "\n".join(
        f"<h4>{name}</h4>{TypeEngine.to_html(ctx, value, types[name])}"
        for name, value in values.items()
        if name in types
    )


def _source(task: Any) -> str:
    function = getattr(task, "task_function", None)
    if function is None:
        return ""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError) as error:
        logger.debug("the source of %s is not to be had: %s", task.name, error)
        return ""
