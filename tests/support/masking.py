"""Removes from recorded and from fresh documents what no two runs share: ids, times, addresses, log text."""

from __future__ import annotations

import re
from typing import Any

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
DURATION = re.compile(r"^\d+(\.\d+)?s$")
RAW_SHARD = re.compile(r"(s3://flyte/data)/[a-z0-9]{2}/")
IGNORED_KEYS = {"managedFields", "producerId"}


def masked(document: Any, execution: str) -> Any:
    """Return the document without what differs between any two runs of the same program.

    :param execution: name of the execution, replaced by EXECUTION wherever it stands
    """
    if isinstance(document, dict):
        return {key: _value(key, value, execution) for key, value in document.items() if key not in IGNORED_KEYS}
    if isinstance(document, list):
        return [masked(item, execution) for item in document]
    if isinstance(document, str):
        return _text(document, execution)
    return document


def _value(key: str, value: Any, execution: str) -> Any:
    if key == "uri" and isinstance(value, str) and value.startswith("http"):
        return "LINK"
    if key == "message" and isinstance(value, str) and value.startswith("Trace:"):
        return "TRACEBACK"  # paths and lines of the interpreter; upstream's lists cut it after 100 bytes besides
    return masked(value, execution)


def _text(text: str, execution: str) -> str:
    if TIME.match(text):
        return "TIME"
    if DURATION.match(text):
        return "DURATION"
    return RAW_SHARD.sub(r"\1/XX/", text.replace(execution, "EXECUTION"))


def differences(fresh: Any, recorded: Any, path: str = "") -> list[str]:
    """Return where two documents differ, one line each."""
    if isinstance(fresh, dict) and isinstance(recorded, dict):
        return [
            line
            for key in sorted({*fresh, *recorded})
            for line in differences(fresh.get(key, "(absent)"), recorded.get(key, "(absent)"), f"{path}.{key}")
        ]
    if isinstance(fresh, list) and isinstance(recorded, list) and len(fresh) == len(recorded):
        return [
            line
            for number, pair in enumerate(zip(fresh, recorded, strict=True))
            for line in differences(*pair, f"{path}[{number}]")
        ]
    return [] if fresh == recorded else [f"{path}: {fresh!r}, upstream {recorded!r}"]
