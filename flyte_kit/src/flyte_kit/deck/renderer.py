"""Values as HTML; put one into ``Annotated`` to choose it for an input or output."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import html
    from importlib import metadata
else:
    html = deferred("html")
    metadata = deferred("importlib.metadata")


@runtime_checkable
class Renderable(Protocol):
    """Shows values of some type."""

    def to_html(self, python_value: Any) -> str:
        """Return HTML."""
        ...


class TopFrameRenderer:
    """The first rows of a data frame."""

    def __init__(self, max_rows: int = 10, max_cols: int = 100) -> None:
        self._rows, self._columns = max_rows, max_cols

    def to_html(self, df: Any) -> str:
        """Return a table."""
        return str(df.to_html(max_rows=self._rows, max_cols=self._columns))


class SourceCodeRenderer:
    """Python code, in colours where pygments is installed."""

    def __init__(self, title: str = "Source Code") -> None:
        self._title = title

    def to_html(self, source_code: str) -> str:
        """Return the code."""
        if importlib.util.find_spec("pygments") is None:
            return f"<pre>{html.escape(source_code)}</pre>"
        pygments = importlib.import_module("pygments")
        lexer = importlib.import_module("pygments.lexers.python").PythonLexer()
        formatter = importlib.import_module("pygments.formatters.html").HtmlFormatter(style="colorful", noclasses=True)
        return str(pygments.highlight(source_code, lexer, formatter))


class PythonDependencyRenderer:
    """The packages of the environment."""

    def __init__(self, title: str = "Dependencies") -> None:
        self._title = title

    def to_html(self) -> str:
        """Return a table."""
        found = {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(found[name])}</td></tr>"
            for name in sorted(found, key=str.lower)
        )
        return f"<table><tr><th>Name</th><th>Version</th></tr>{rows}</table>"


class MarkdownRenderer:
    """Markdown, where markdown-it is installed; plain text elsewhere."""

    def to_html(self, text: str) -> str:
        """Return HTML."""
        if importlib.util.find_spec("markdown_it") is None:
            return f"<pre>{html.escape(text)}</pre>"
        return str(importlib.import_module("markdown_it").MarkdownIt().render(text))
