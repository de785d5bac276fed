"""Executions that an eager task starts and awaits."""

from __future__ import annotations

import asyncio
import hashlib
import html
import os
from dataclasses import dataclass
from types import FrameType
from typing import Any

from flyteidl.core.execution_pb2 import WorkflowExecution

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.calls import translate_inputs_to_literals
from flyte_kit.core.constants import EAGER_ROOT_ENV_NAME, EAGER_TAG_KEY, EAGER_TAG_ROOT_KEY
from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.node import dns_id
from flyte_kit.core.options import Labels, Options
from flyte_kit.loggers import logger

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
_COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "ABORTED": "red", "TIMED_OUT": "red"}


class EagerException(Exception):
    """An execution that an eager task awaited has failed."""


@dataclass
class WorkItem:
    """One call.

    :ivar name: of its execution
    """

    entity: str
    name: str
    phase: str = "UNDEFINED"
    error: str = ""


class Controller:
    """Starts an execution for every call, and polls them until they have ended.

    Names are made of parent, place and inputs: an eager task that is tried again takes up what it had started.

    :param remote: client of the control plane
    :param tag: name of the execution that the eager task is part of
    :param root_tag: of the outermost one
    :param prefix: of the executions' names
    """

    def __init__(self, remote: Any, settings: SerializationSettings, tag: str, root_tag: str, prefix: str) -> None:
        self.remote, self.settings = remote, settings
        self.tag, self.root_tag, self.prefix = tag, root_tag, prefix
        self.items: list[WorkItem] = []
        self._counts: dict[str, int] = {}
        self._stopping = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """End what was started, when this process is told to end."""
        self._stopping = True
        for item in self.items:
            if item.phase not in _COLOURS:
                execution = self.remote.fetch_execution(name=item.name)
                self.remote.terminate(execution, f"eager task of {self.tag} was told to end by signal {number}")

    def execution_name(self, entity: Any, inputs: dict[str, Any]) -> str:
        """Return the name of a call's execution: the same on every attempt."""
        interface = entity.python_interface
        literals = translate_inputs_to_literals(
            FlyteContextManager.current_context(), inputs, interface.typed.inputs, interface.inputs
        )
        digest = hashlib.md5(usedforsecurity=False)
        for name in sorted(literals):
            digest.update(name.encode() + literals[name].SerializeToString(deterministic=True))
        key = f"{self.tag}:{entity.name}:{digest.hexdigest()}"
        place = self._counts[key] = self._counts.get(key, -1) + 1
        hashed = hashlib.md5(f"{key}:{place}".encode(), usedforsecurity=False).hexdigest()[:16]
        return dns_id(f"{self.prefix}-{entity.name.rsplit('.', 1)[-1][:8]}-{hashed}")

    async def add(self, entity: Any, input_kwargs: dict[str, Any]) -> Any:
        """Start an execution and wait for its outputs.

        :raises EagerException: if it fails
        """
        item = WorkItem(entity.name, self.execution_name(entity, input_kwargs))
        self.items.append(item)
        execution = await asyncio.to_thread(self._start, entity, input_kwargs, item.name)
        pause = FIRST_PAUSE
        while not execution.is_done:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
            execution = await asyncio.to_thread(self.remote.sync_execution, execution)
            item.phase = execution.phase
        item.phase = execution.phase
        if execution.closure.phase != WorkflowExecution.SUCCEEDED:
            item.error = execution.error.message if execution.error is not None else execution.phase
            raise EagerException(f"{entity.name} ({item.name}) ended {execution.phase}: {item.error}")
        return self._outputs(entity, execution)

    def _start(self, entity: Any, inputs: dict[str, Any], name: str) -> Any:
        logger.info("%s starts %s", self.tag, name)
        labels = Labels({EAGER_TAG_KEY: self.tag, EAGER_TAG_ROOT_KEY: self.root_tag})
        return self.remote.execute(
            entity,
            inputs,
            version=self.settings.version,
            execution_name=name,
            options=Options(labels=labels),
            envs={EAGER_ROOT_ENV_NAME: self.root_tag},
            tags=[f"{EAGER_TAG_KEY}:{self.tag}"],
            serialization_settings=self.settings,
        )

    @staticmethod
    def _outputs(entity: Any, execution: Any) -> Any:
        outputs = entity.python_interface.outputs
        values = tuple(execution.outputs.get(name, as_type=t) for name, t in outputs.items())
        return None if not values else values[0] if len(values) == 1 else values

    def render_html(self) -> str:
        """Return a table of the executions, for the deck."""
        rows = "".join(
            f'<tr><td>{html.escape(item.entity)}</td><td><a href="{html.escape(self._link(item))}">{item.name}</a></td>'
            f'<td style="color: {_COLOURS.get(item.phase, "black")}">{item.phase}</td>'
            f"<td>{html.escape(item.error)}</td></tr>"
            for item in self.items
        )
        head = "<tr><th>Entity</th><th>Execution</th><th>Phase</th><th>Error</th></tr>"
        return f"<table>{head}{rows}</table>"

    def _link(self, item: WorkItem) -> str:
        project, domain = self.remote.default_project, self.remote.default_domain
        base = os.environ.get("FLYTE_CONSOLE_URL") or self.remote.generate_console_http_domain()
        return f"{base}/console/projects/{project}/domains/{domain}/executions/{item.name}"

    def close(self) -> None:
        """Close the client."""
        self.remote.close()
