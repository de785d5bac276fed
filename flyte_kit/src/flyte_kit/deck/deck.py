"""Decks: named HTML pages, one tab each in the run's document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flyte_kit.core.context_manager import ExecutionParameters, FlyteContext, FlyteContextManager
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import html
    import pathlib
else:
    pathlib = deferred("pathlib")
    html = deferred("html")

DECK_FILE_NAME = "deck.html"
_DOCUMENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Deck</title><style>
body {{ font-family: sans-serif; margin: 0; }}
nav {{ border-bottom: 1px solid #ccc; padding: 0 1rem; }}
nav label {{ display: inline-block; padding: .7rem; cursor: pointer; }}
section {{ display: none; padding: 1rem; }}
input[type=radio] {{ display: none; }}
table {{ border-collapse: collapse; }} td, th {{ border: 1px solid #ddd; padding: .3rem; }}
{rules}
</style></head><body>
{inputs}<nav>{labels}</nav>
{sections}
</body></html>
"""


class Deck:
    """A page.

    :param name: of its tab
    :param html: its first content
    :param auto_add_to_deck: whether it is shown without further ado
    """

    def __init__(self, name: str, html: str | None = "", auto_add_to_deck: bool = True) -> None:
        self.name = name
        self._html = html or ""
        parameters = FlyteContextManager.current_context().user_space_params
        if auto_add_to_deck and parameters is not None:
            parameters.decks.append(self)

    @property
    def html(self) -> str:
        """Its content."""
        return self._html

    def append(self, html: str) -> Deck:
        """Add content."""
        self._html = f"{self._html}\n{html}" if self._html else html
        return self

    @staticmethod
    def publish() -> None:
        """Write the document now, while the task still runs.

        :raises ValueError: if the task has no deck (``enable_deck=True``)
        """
        parameters = FlyteContextManager.current_context().user_space_params
        if parameters is None or not parameters.enable_deck:
            raise ValueError("This task makes no deck: give it enable_deck=True")
        output_deck(FlyteContextManager.current_context(), "deck", parameters)


@dataclass(frozen=True)
class Span:
    """A named span of time, in seconds."""

    name: str
    start: datetime
    wall: float
    process: float


class TimeLineDeck(Deck):
    """The page of time spans."""

    def __init__(self, name: str, html: str | None = "", auto_add_to_deck: bool = True) -> None:
        super().__init__(name, html, auto_add_to_deck)
        self.spans: list[Span] = []

    def append_time_info(self, info: dict[str, object]) -> None:
        """Add a span: ``Name``, ``Start``, ``WallTime`` and ``ProcessTime``."""
        start = info.get("Start")
        self.spans.append(
            Span(
                str(info["Name"]),
                start if isinstance(start, datetime) else datetime.now().astimezone(),
                float(str(info.get("WallTime") or 0)),
                float(str(info.get("ProcessTime") or 0)),
            )
        )

    @property
    def html(self) -> str:
        """A table of the spans."""
        rows = "".join(
            f"<tr><td>{html.escape(s.name)}</td><td>{s.start.isoformat()}</td><td>{s.wall:.3f} s</td>"
            f"<td>{s.process:.3f} s</td></tr>"
            for s in self.spans
        )
        head = "<tr><th>Name</th><th>Start</th><th>Wall time</th><th>Process time</th></tr>"
        return f"{self._html}<table>{head}{rows}</table>"


def document(decks: list[Deck]) -> str:
    """Return one HTML document with a tab for every deck; it needs no script."""
    shown = sorted(decks, key=lambda deck: deck.name != "default")
    rules = "\n".join(
        f"#t{i}:checked ~ #s{i} {{ display: block; }} #t{i}:checked ~ nav label[for=t{i}] {{ font-weight: bold; }}"
        for i in range(len(shown))
    )
    inputs = "".join(
        f'<input type="radio" name="tab" id="t{i}"{" checked" if i == 0 else ""}>' for i in range(len(shown))
    )
    labels = "".join(f'<label for="t{i}">{html.escape(deck.name)}</label>' for i, deck in enumerate(shown))
    sections = "\n".join(f'<section id="s{i}">{deck.html}</section>' for i, deck in enumerate(shown))
    return _DOCUMENT.format(rules=rules, inputs=inputs, labels=labels, sections=sections)


def output_deck(ctx: FlyteContext, task_name: str, parameters: ExecutionParameters) -> str:
    """Write the document of a run beside its outputs, or into its working folder on a local run; return where."""
    page = document(parameters.decks)
    folder = pathlib.Path(ctx.file_access.get_random_local_directory())
    path = folder / DECK_FILE_NAME
    path.write_text(page, encoding="utf-8")
    if ctx.local_mode or not parameters.output_metadata_prefix:
        return str(path)
    return ctx.file_access.put_data(str(path), f"{parameters.output_metadata_prefix.rstrip('/')}/{DECK_FILE_NAME}")
