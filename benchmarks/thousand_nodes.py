"""Defines and serializes a workflow of a thousand nodes; prints the milliseconds of CPU. Run by either SDK's Python.

``python thousand_nodes.py flytekit`` or ``… flyte_kit``. Imports do not count: they have a measure of their own.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any

NODES = 1_000
SDK = importlib.import_module(sys.argv[1])


def step(x: int) -> int:
    """Count on."""
    return x + 1


def add(x: int, y: int) -> int:
    """Add."""
    return x + y


def thousand(x: int = 0) -> int:
    """Chains of ten, added up: a graph both deep and wide."""
    total = x
    for _ in range(NODES // 10):
        y = x
        for _ in range(9):
            y = STEP(x=y)
        total = ADD(x=total, y=y)
    return total


def settings() -> Any:
    """Return settings of a registration, in the SDK's classes."""
    configuration = importlib.import_module(f"{sys.argv[1]}.configuration")
    image = configuration.Image(name="default", fqn="registry.example/default", tag="v1")
    images = configuration.ImageConfig(default_image=image, images=[image])
    return configuration.SerializationSettings(image_config=images, project="p", domain="d", version="v")


def serialize_with_flytekit(given: Any) -> list[bytes]:
    """Serialize as `pyflyte register` does."""
    manager = importlib.import_module("flytekit.core.context_manager").FlyteContextManager
    collect = importlib.import_module("flytekit.tools.serialize_helpers").get_registrable_entities
    context = manager.current_context().with_serialization_settings(given).build()
    with manager.with_context(context.new_builder()):
        return [message.to_flyte_idl().SerializeToString() for message in collect(context)]


def serialize_with_flyte_kit(given: Any) -> list[bytes]:
    """Serialize as `flyte register` does."""
    collect = importlib.import_module("flyte_kit.serialization.registrable").registrable_entities
    return [message.SerializeToString() for message in collect(given)]


_ = SDK.task, SDK.workflow  # loaded by now
importlib.import_module(
    "flytekit.tools.serialize_helpers" if sys.argv[1] == "flytekit" else "flyte_kit.serialization.registrable"
)
GIVEN = settings()
BEGIN = time.process_time()
STEP, ADD = SDK.task(step), SDK.task(add)
WORKFLOW = SDK.workflow(thousand)
MESSAGES = serialize_with_flytekit(GIVEN) if sys.argv[1] == "flytekit" else serialize_with_flyte_kit(GIVEN)
SPENT = time.process_time() - BEGIN
assert len(MESSAGES) == 4, "two tasks, a workflow and its launch plan"
print(SPENT * 1000)
