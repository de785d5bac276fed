"""How long something ran, to the nanosecond that upstream gives."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def set_duration(duration: Duration, started_at: Timestamp, ended_at: Timestamp) -> None:
    """Set the time from start to end, in place; a clock that went back gives zero.

    Upstream takes the start from its database, which keeps microseconds, and the end from the event.
    """
    start = started_at.seconds * 1_000_000_000 + started_at.nanos // 1000 * 1000
    elapsed = ended_at.seconds * 1_000_000_000 + ended_at.nanos - start
    duration.FromNanoseconds(max(elapsed, 0))
