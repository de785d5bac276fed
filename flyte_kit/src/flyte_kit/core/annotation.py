"""Free-form facts about a type, kept in the interface and shown by consoles."""

from __future__ import annotations

from typing import Any


class FlyteAnnotation:
    """``Annotated[int, FlyteAnnotation({"unit": "m"})]``: at most one in a type.

    :ivar data: JSON-like facts
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
