"""Pages that the SDK makes by itself."""

from __future__ import annotations

import enum


class DeckField(str, enum.Enum):  # noqa: UP042 - its text is that of flytekit's class
    """A page."""

    INPUT = "Input"
    OUTPUT = "Output"
    SOURCE_CODE = "Source Code"
    TIMELINE = "Timeline"
    DEPENDENCIES = "Dependencies"


ALL_FIELDS = (
    DeckField.SOURCE_CODE,
    DeckField.DEPENDENCIES,
    DeckField.TIMELINE,
    DeckField.INPUT,
    DeckField.OUTPUT,
)
