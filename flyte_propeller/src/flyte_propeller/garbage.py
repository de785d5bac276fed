"""Deletes ended FlyteWorkflows when their time is over."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from flyte_core.clock import Clock
from flyte_core.cluster import FLYTE_WORKFLOW, Cluster, Manifest
from flyte_core.errors import SystemFault
from flyte_propeller.settings import PropellerSettings

LOG = logging.getLogger(__name__)
ENDED = "termination-status=terminated"
LONGEST_PAUSE = 60.0


async def collect_garbage(cluster: Cluster, clock: Clock, settings: PropellerSettings) -> None:
    """Look for ended FlyteWorkflows for ever, and delete those that ended ``settings.keep_seconds`` ago."""
    while True:
        await clock.sleep(min(LONGEST_PAUSE, settings.keep_seconds))
        try:
            listing = await cluster.list(FLYTE_WORKFLOW, labels=ENDED)
            for manifest in listing.items:
                if clock.now() >= _ended_at(manifest) + timedelta(seconds=settings.keep_seconds):
                    metadata = manifest["metadata"]
                    await cluster.delete(FLYTE_WORKFLOW, metadata["namespace"], metadata["name"], uid=metadata["uid"])
        except SystemFault as error:
            LOG.warning("ended FlyteWorkflows are kept longer: %s", error)


def _ended_at(manifest: Manifest) -> datetime:
    stopped = (manifest.get("status") or {}).get("stoppedAt") or manifest["metadata"]["creationTimestamp"]
    return datetime.fromisoformat(stopped)
