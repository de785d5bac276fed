"""The request that starts an execution of a launch plan for one time of its schedule."""

from __future__ import annotations

from datetime import datetime

from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionMetadata
from flyteidl.core.identifier_pb2 import Identifier

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_64_BITS = (1 << 64) - 1


def kickoff_request(plan: Identifier, moment: datetime, kickoff_input: str) -> ExecutionCreateRequest:
    """Return the request, as upstream's scheduler makes it: mode SCHEDULED, with a name that only this plan and time
    have.

    :param kickoff_input: input that gets the time; empty for none
    """
    request = ExecutionCreateRequest(project=plan.project, domain=plan.domain, name=execution_name(plan, moment))
    request.spec.launch_plan.CopyFrom(plan)
    request.spec.metadata.mode = ExecutionMetadata.SCHEDULED
    request.spec.metadata.scheduled_at.FromDatetime(moment)
    request.inputs.SetInParent()
    if kickoff_input:
        request.inputs.literals[kickoff_input].scalar.primitive.datetime.FromDatetime(moment)
    return request


def execution_name(plan: Identifier, moment: datetime) -> str:
    """Return upstream's name: 20 characters, of a 64-bit FNV-1 hash of the plan and the time in whole seconds. So an
    execution that upstream's scheduler started is not started again by this one, and the other way round.
    """
    parts = (plan.project, plan.domain, plan.name, plan.version, str(int(moment.timestamp())))
    digest = _FNV_OFFSET
    for byte in ":".join(parts).encode():
        digest = (digest * _FNV_PRIME & _64_BITS) ^ byte
    return f"f{digest.to_bytes(8, 'little').hex()}000"
