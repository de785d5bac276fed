"""From the outbox to the cluster, and aborting whatever exists."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin.execution_pb2 import (
    ExecutionCreateRequest,
    ExecutionTerminateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.json_format import ParseDict
from sqlalchemy import func, select, update

from flyte_admin.db.schema import workflow_outbox
from flyte_admin.executions.refusals import AlreadyTerminal
from flyte_core.cluster import FLYTE_WORKFLOW
from flyte_core.errors import InvalidInput, Unavailable

NAMESPACE = "golden-development"


async def get(plane: Any, execution: Any) -> Any:
    return await plane.reader.get(WorkflowExecutionGetRequest(id=execution))


async def waiting(plane: Any) -> int:
    count: int = await plane.database.read(
        lambda connection: connection.execute(select(func.count()).select_from(workflow_outbox)).scalar_one()
    )
    return count


async def make_due(plane: Any) -> None:
    """Let the time pass that orders wait before they are tried again."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    await plane.database.write(
        lambda connection: connection.execute(update(workflow_outbox).values(available_at=past)) and None
    )


async def terminate(plane: Any, execution: Any) -> None:
    await plane.executions.terminate(ExecutionTerminateRequest(id=execution, cause="enough"), principal="ada")


async def drop_finalizer(plane: Any, name: str) -> None:
    """What the data plane does once it has aborted an execution."""
    found = await plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, name)
    metadata = {**found["metadata"], "finalizers": []}
    await plane.cluster.replace({**found, "metadata": metadata})


async def test_an_accepted_execution_becomes_one_flyte_workflow(control_plane: Any, make_request: Any) -> None:
    await control_plane.executions.create(make_request("one"))
    assert await control_plane.dispatcher.turn() == 1
    found = await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, "one")
    assert found["spec"]["id"] == "golden:development:golden_wf.single"
    assert await waiting(control_plane) == 0


async def test_a_flyte_workflow_that_exists_already_is_taken_for_ours(control_plane: Any, make_request: Any) -> None:
    await control_plane.executions.create(make_request("twice"))
    manifest = {
        "apiVersion": "flyte.lyft.com/v1alpha1",
        "kind": "FlyteWorkflow",
        "metadata": {"name": "twice", "namespace": NAMESPACE},
    }
    await control_plane.cluster.create(manifest)
    await control_plane.dispatcher.turn()
    assert await waiting(control_plane) == 0


async def test_a_cluster_that_does_not_answer_is_asked_again_later(control_plane: Any, make_request: Any) -> None:
    created = await control_plane.executions.create(make_request("later"))
    write = control_plane.manifests.write

    def down(order: Any, closure: Any) -> Any:
        raise Unavailable("the cluster is away")

    control_plane.manifests.write = down
    assert await control_plane.dispatcher.turn() == 1
    assert await control_plane.dispatcher.turn() == 0, "not at once: that would be a hot loop"
    assert (await get(control_plane, created.id)).closure.phase == WorkflowExecution.UNDEFINED
    control_plane.manifests.write = write
    await make_due(control_plane)
    await control_plane.dispatcher.turn()
    assert await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, "later") is not None


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        (InvalidInput("no such node"), "InvalidArgument", ExecutionError.USER),
        (KeyError("x"), "Internal", ExecutionError.SYSTEM),
    ],
    ids=["refused", "bug"],
)
async def test_a_workflow_that_can_never_be_created_fails_its_execution_and_no_other(
    control_plane: Any, make_request: Any, fault: Exception, code: str, kind: int
) -> None:
    bad = await control_plane.executions.create(make_request("bad"))
    await control_plane.executions.create(make_request("good"))
    write = control_plane.manifests.write

    def refuse(order: Any, closure: Any) -> Any:
        if order.execution.name == "bad":
            raise fault
        return write(order, closure)

    control_plane.manifests.write = refuse
    await control_plane.dispatcher.turn()
    closure = (await get(control_plane, bad.id)).closure
    assert (closure.phase, closure.error.code, closure.error.kind) == (WorkflowExecution.FAILED, code, kind)
    assert await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, "good") is not None
    assert await waiting(control_plane) == 0


async def test_an_execution_aborted_before_its_dispatch_never_starts_and_ends(
    control_plane: Any, make_request: Any
) -> None:
    created = await control_plane.executions.create(make_request("never"))
    await terminate(control_plane, created.id)
    await control_plane.dispatcher.turn()
    assert await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, "never") is None
    closure = (await get(control_plane, created.id)).closure
    assert closure.phase == WorkflowExecution.ABORTED
    assert (closure.abort_metadata.cause, closure.abort_metadata.principal) == ("enough", "ada")
    assert await waiting(control_plane) == 0


async def test_a_running_execution_is_aborting_until_the_data_plane_has_ended_it(
    control_plane: Any, make_request: Any
) -> None:
    created = await control_plane.executions.create(make_request("runs"))
    await control_plane.dispatcher.turn()
    await terminate(control_plane, created.id)
    await control_plane.dispatcher.turn()
    assert (await get(control_plane, created.id)).closure.phase == WorkflowExecution.ABORTING
    found = await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, "runs")
    assert found["metadata"]["deletionTimestamp"]
    await drop_finalizer(control_plane, "runs")
    await make_due(control_plane)
    await control_plane.dispatcher.turn()
    assert (await get(control_plane, created.id)).closure.phase == WorkflowExecution.ABORTED
    assert await waiting(control_plane) == 0


async def test_an_abort_while_the_workflow_is_being_created_is_not_lost(control_plane: Any, make_request: Any) -> None:
    created = await control_plane.executions.create(make_request("race"))
    create = control_plane.cluster.create

    async def slow(manifest: Any) -> Any:
        """Another replica handles the abort meanwhile, and finds no workflow to delete."""
        await terminate(control_plane, created.id)
        await control_plane.database.write(
            lambda c: c.execute(workflow_outbox.delete().where(workflow_outbox.c.action == "TERMINATE")) and None
        )
        return await create(manifest)

    control_plane.cluster.create = slow
    await control_plane.dispatcher.turn()
    await control_plane.dispatcher.turn()
    found = await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, "race")
    assert found["metadata"]["deletionTimestamp"]


async def test_terminating_twice_is_one_abort_and_after_the_end_an_error(control_plane: Any, make_request: Any) -> None:
    created = await control_plane.executions.create(make_request("twice"))
    await terminate(control_plane, created.id)
    await terminate(control_plane, created.id)
    await control_plane.dispatcher.turn()
    with pytest.raises(AlreadyTerminal) as refused:
        await terminate(control_plane, created.id)
    assert refused.value.detail.already_in_terminal_state.current_phase == "ABORTED"


async def test_what_an_earlier_life_left_over_is_dispatched_at_the_start(control_plane: Any, make_request: Any) -> None:
    for number in range(100):
        await control_plane.executions.create(make_request(f"left{number}"))
    runner = asyncio.create_task(control_plane.dispatcher.run())
    for _ in range(200):
        if await waiting(control_plane) == 0:
            break
        await asyncio.sleep(0.02)
    runner.cancel()
    assert len((await control_plane.cluster.list(FLYTE_WORKFLOW)).items) == 100


@pytest.mark.parametrize(
    "run", ["single", "branch", "parent_sub", "parent_dyn", "parent_map", "gates", "with_failure_node"]
)
async def test_the_flyte_workflow_is_the_one_that_upstream_created(
    control_plane: Any, recording: Any, run: str
) -> None:
    """But for what the API server adds and the spacing of keys, which nobody may read anything into."""
    request = ParseDict(recording(run).json("create-request"), ExecutionCreateRequest())
    await control_plane.executions.create(request)
    await control_plane.dispatcher.turn()
    found = await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, request.name)
    wanted = json.loads((Path(__file__).parent / "recorded" / "manifests" / f"{run}.json").read_text())
    assert comparable(found) == comparable(wanted)


def comparable(manifest: Any) -> Any:
    plain = json.loads(re.sub(r"  +", " ", json.dumps(manifest)))
    del plain["acceptedAt"]
    for key in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        plain["metadata"].pop(key, None)
    return plain


async def test_large_inputs_are_referred_to(control_plane: Any, make_request: Any) -> None:
    request = make_request("large", plan="parent_map")
    for _ in range(40_000):
        request.inputs.literals["xs"].collection.literals.add().scalar.primitive.integer = 123_456_789
    created = await control_plane.executions.create(request)
    await control_plane.dispatcher.turn()
    found = await control_plane.cluster.get(FLYTE_WORKFLOW, NAMESPACE, "large")
    assert found["inputs"] is None
    stored = LiteralMap.FromString(await control_plane.store.read(found["offloadedInputs"]))
    assert len(stored.literals["xs"].collection.literals) == 40_000
    data = await control_plane.reader.get_data(WorkflowExecutionGetDataRequest(id=created.id))
    assert data.full_inputs == stored
