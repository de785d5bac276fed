"""The failure that a handler is told of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FlyteError:
    """A parameter of this type of an ``on_failure`` handler is filled by the engine.

    :ivar message: why the workflow failed
    :ivar failed_node_id: node that failed first
    """

    message: str
    failed_node_id: str
