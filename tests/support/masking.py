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
    if key in {"uri", "name", "messageFormat", "message_format"} and isinstance(value, str) and "ogs" in value:
        return "LOGS"
    if key == "uri" and isinstance(value, str) and value.startswith("http"):
        return "LINK"
    if key == "message" and isinstance(value, str) and "Trace" in value:
        return "TRACEBACK " + value.rstrip().splitlines()[-1].strip() if "Message:" in value else "TRACEBACK"
    return masked(value, execution)


def _text(text: str, execution: str) -> str:
    if TIME.match(text):
        return "TIME"
    if DURATION.match(text):
        return "DURATION"
    return RAW_SHARD.sub(r"\1/XX/", text.replace(execution, "EXECUTION"))
