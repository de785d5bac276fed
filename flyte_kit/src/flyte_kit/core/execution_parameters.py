"""What a running task can ask of its surroundings: ``current_context()`` returns it."""

from __future__ import annotations

import importlib
import logging
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flyteidl.core.identifier_pb2 import Identifier, WorkflowExecutionIdentifier

from flyte_kit.core.checkpointer import Checkpoint
from flyte_kit.core.secrets import SecretsManager
from flyte_kit.deferred import deferred
from flyte_kit.loggers import logger

if TYPE_CHECKING:
    import pathlib
    import tempfile
else:
    pathlib = deferred("pathlib")
    tempfile = deferred("tempfile")

if TYPE_CHECKING:
    from flyte_kit.deck.deck import Deck, TimeLineDeck


def local_execution() -> WorkflowExecutionIdentifier:
    """Return the execution id of local runs."""
    return WorkflowExecutionIdentifier(project="local", domain="local", name="local")


class SilentStats:
    """Takes metrics and drops them: engines collect their own. Has the calls that flytekit's statsd client has."""

    def incr(self, *args: object, **kwargs: object) -> None:
        """Drop a count."""

    decr = timing = gauge = set = incr


@dataclass(frozen=True, eq=False, repr=False)
class ExecutionParameters:
    """Facts and doors of one task run. Attributes that plugins add (``spark_session``) are there by name.

    :ivar execution_id: of the execution, ``local`` three times on a local run
    :ivar task_id: of the task; None on a local run
    :ivar execution_date: start of the run, UTC
    :ivar raw_output_prefix: below which the task may write objects
    :ivar output_metadata_prefix: where outputs and deck go; None on a local run
    :ivar decks: HTML pages of the run
    """

    execution_date: datetime = field(default_factory=lambda: datetime.now(UTC))
    tmp_dir: str = ""
    stats: Any = field(default_factory=SilentStats)
    execution_id: WorkflowExecutionIdentifier = field(default_factory=local_execution)
    logging: logging.Logger = logger
    raw_output_prefix: str = ""
    output_metadata_prefix: str | None = None
    given_checkpoint: Checkpoint | None = None
    decks: list[Deck] = field(default_factory=list)
    task_id: Identifier | None = None
    enable_deck: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def working_directory(self) -> str:
        """A folder for the task's own files."""
        return self.tmp_dir or tempfile.gettempdir()

    @property
    def secrets(self) -> SecretsManager:
        """The secrets that the task asked for."""
        return SecretsManager()

    @property
    def checkpoint(self) -> Checkpoint:
        """State of an earlier attempt, and the place for this one's.

        :raises NotImplementedError: if the engine gave no place
        """
        if self.given_checkpoint is None:
            raise NotImplementedError("Checkpointing is not available: the engine gave no checkpoint path.")
        return self.given_checkpoint

    @property
    def default_deck(self) -> Deck:
        """The deck that opens first."""
        deck: Deck = self._deck("Deck", "default")
        return deck

    @property
    def timeline_deck(self) -> TimeLineDeck:
        """The deck of named time spans."""
        deck: TimeLineDeck = self._deck("TimeLineDeck", "Timeline")
        return deck

    def _deck(self, kind: str, name: str) -> Any:
        known = next((deck for deck in self.decks if deck.name == name), None)
        if known is not None:
            return known
        made = getattr(importlib.import_module("flyte_kit.deck.deck"), kind)(name, auto_add_to_deck=False)
        self.decks.append(made)
        return made

    def __getattr__(self, attr_name: str) -> Any:
        attributes = self.__dict__.get("attributes", {})
        if attr_name.upper() in attributes:
            return attributes[attr_name.upper()]
        raise AttributeError(f"{attr_name} is not an attribute of the current context, nor has a plugin added it")

    def has_attr(self, attr_name: str) -> bool:
        """Tell whether a plugin has added an attribute."""
        return attr_name.upper() in self.attributes

    def get(self, key: str) -> Any:
        """Return an attribute that a plugin has added."""
        return self.__getattr__(key)

    def builder(self) -> ExecutionParametersBuilder:
        """Return a mutable copy, for plugins: ``builder().add_attr(…).build()``."""
        return ExecutionParametersBuilder(self)

    def with_task_sandbox(self) -> ExecutionParameters:
        """Return parameters for one task of a local run: a working folder and a checkpoint of its own."""
        os.makedirs(self.working_directory, exist_ok=True)
        folder = tempfile.mkdtemp(dir=self.working_directory)
        place = pathlib.Path(folder) / "__cp"
        return replace(self, tmp_dir=folder, given_checkpoint=Checkpoint(str(place)))

    def with_enable_deck(self, enable_deck: bool) -> ExecutionParameters:
        """Return parameters with decks on or off."""
        return replace(self, enable_deck=enable_deck)


class ExecutionParametersBuilder:
    """A mutable copy of the parameters, with flytekit's two calls."""

    def __init__(self, current: ExecutionParameters) -> None:
        self._current = current
        self._added: dict[str, Any] = {}

    def add_attr(self, key: str, v: Any) -> ExecutionParametersBuilder:
        """Add an attribute by its name in upper case."""
        self._added[key] = v
        return self

    def build(self) -> ExecutionParameters:
        """Return the parameters with what was added."""
        return replace(self._current, attributes={**self._current.attributes, **self._added})
