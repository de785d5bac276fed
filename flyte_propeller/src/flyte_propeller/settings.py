"""Settings of the data plane."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PropellerSettings:
    """Settings of one propeller.

    :ivar metadata_prefix: URI of the folder for inputs, outputs and overflowing state of all executions
    :ivar raw_output_prefix: URI of the folder for what tasks upload, where the execution names none
    :ivar rounds_at_once: executions that are worked on at the same time
    :ivar resync_seconds: every execution is looked at whole this often, whatever its wake-ups
    :ivar output_limit: bytes of one inputs, outputs or error object (upstream's ``maxDownloadMBs``)
    :ivar status_limit: bytes of state kept inside the FlyteWorkflow; more goes to the object store
    :ivar dynamic_node_limit: nodes that dynamic tasks may add to one execution
    :ivar keep_seconds: how long an ended FlyteWorkflow stays in the cluster
    :ivar task_env: environment that every task gets
    """

    metadata_prefix: str
    raw_output_prefix: str
    rounds_at_once: int = 32
    resync_seconds: float = 30.0
    output_limit: int = 10 * 2**20
    status_limit: int = 256 * 2**10
    dynamic_node_limit: int = 50_000
    keep_seconds: float = 3600.0
    task_env: tuple[tuple[str, str], ...] = ()
