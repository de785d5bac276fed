"""Writes the FlyteWorkflow of an order: whole where it is small, with references to what is large."""

from __future__ import annotations

from collections import OrderedDict

from flyteidl.admin.execution_pb2 import ExecutionMetadata
from flyteidl.admin.workflow_pb2 import WorkflowClosure

from flyte_admin.dispatch.orders import Order
from flyte_core.cluster import Manifest
from flyte_core.flyteworkflow import (
    ClosureParts,
    LaunchFacts,
    build_flyte_workflow,
    closure_parts,
    offload_closure,
    offload_inputs,
)
from flyte_core.task_types import PlatformResources

OFFLOAD_BYTES = 256 * 1024
"""Size of a compiled workflow, and of inputs, above which the FlyteWorkflow refers to it instead of holding it. As JSON
it is some three times as large, and an object of a real API server may have 1.5 MiB.
"""
PARTS_KEPT = 64
"""Compiled workflows whose parts are kept in memory: executions of the same one share them."""
DEFAULT_RESOURCES = PlatformResources(
    requests={"cpu": "100m", "memory": "200Mi", "ephemeral-storage": "100M"},
    limits={"cpu": "2", "memory": "1Gi", "ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"},
)
"""The values of upstream's Helm chart."""


class ManifestWriter:
    """Implements :data:`flyte_admin.dispatch.relay.BuildManifest`.

    :param resources: the platform's defaults and limits
    :param console_url: where the console is; empty when there is none
    """

    def __init__(self, *, resources: PlatformResources = DEFAULT_RESOURCES, console_url: str = "") -> None:
        self._resources = resources
        self._console_url = console_url
        self._parts: OrderedDict[str, ClosureParts] = OrderedDict()

    def __call__(self, order: Order, closure: WorkflowClosure) -> Manifest:
        """Return the FlyteWorkflow.

        :raises flyte_core.errors.InvalidInput: if a resource quantity cannot be read
        """
        recovery = order.spec.metadata.reference_execution
        recovers = order.spec.metadata.mode == ExecutionMetadata.RECOVERED
        facts = LaunchFacts(
            execution_id=order.execution,
            namespace=order.namespace,
            inputs=order.request.inputs,
            spec=order.spec,
            accepted_at=order.accepted_at,
            platform_resources=self._resources,
            recovery=recovery if recovers else None,
            console_url=self._console_url,
        )
        manifest = build_flyte_workflow(self._closure_parts(order.closure_uri, closure), facts)
        if order.request.inputs.ByteSize() > OFFLOAD_BYTES:
            manifest = offload_inputs(manifest, order.inputs_uri)
        if closure.ByteSize() > OFFLOAD_BYTES:
            manifest = offload_closure(manifest, order.closure_uri)
        return manifest

    def _closure_parts(self, uri: str, closure: WorkflowClosure) -> ClosureParts:
        parts = self._parts.get(uri)
        if parts is None:
            parts = self._parts[uri] = closure_parts(closure.compiled_workflow, self._resources)
            if len(self._parts) > PARTS_KEPT:
                self._parts.popitem(last=False)
        self._parts.move_to_end(uri)
        return parts
