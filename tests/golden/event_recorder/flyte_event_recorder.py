"""A plugin that appends every recorded event to the file named in FLYTE_EVENT_FILE, one JSON document a line."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.json_format import MessageToDict

from flyte_core.events import EventSink, RecordedEvent
from flyte_core.hookspecs import PluginContext, hookimpl


class Recorder:
    """Writes to a file; the id keeps repeated deliveries apart from new events."""

    name = "event-recorder"

    async def publish(self, event: RecordedEvent) -> None:
        line = {"id": event.id, "kind": type(event.request).__name__, "request": MessageToDict(event.request)}
        with Path(os.environ["FLYTE_EVENT_FILE"]).open("a") as file:
            file.write(json.dumps(line) + "\n")


@hookimpl
def flyte_event_sinks(ctx: PluginContext) -> Sequence[EventSink]:
    return [Recorder()]
