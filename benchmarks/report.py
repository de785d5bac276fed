"""One printed line per number: its value, its floor in the same run, their ratio, and the bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured number.

    :ivar floor: what the bare thing costs in this run, in the same unit; 0 when there is none
    :ivar bound: what the architecture page asks for, in words
    :ivar met: None when the figure is only information
    """

    name: str
    value: float
    unit: str
    floor: float = 0.0
    floor_name: str = ""
    bound: str = ""
    met: bool | None = None

    def line(self) -> str:
        """Return the figure as one line."""
        text = f"{self.name:<44} {self.value:10.2f} {self.unit:<6}"
        if self.floor:
            text += f" {self.value / self.floor:7.2f} x {self.floor_name} ({self.floor:.3f} {self.unit})"
        if self.bound:
            text += f"  [{self.bound}: {'met' if self.met else 'MISSED'}]"
        return text
