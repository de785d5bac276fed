"""Launch plan nodes: each attempt is an execution of its own, and its end is the node's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionCreateRequest, ExecutionMetadata
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap

from driving import SUCCESS, Driven, failed, integer, task, workflow
from flyte_core.errors import AlreadyExists, InvalidInput, Unavailable
from flyte_core.identifiers import child_execution_name
from flyte_propeller.testing import RecordingAdmin

PLAN = {"resourceType": "LAUNCH_PLAN", "project": "other", "domain": "d", "name": "plan", "version": "v"}
CHILD = child_execution_name("x", "lp", 0)
OUTPUTS = LiteralMap(literals={"o": integer(7)})


def plan(*after: str, **fields: Any) -> dict[str, Any]:
    return {**task(*after), "kind": "workflow", "task": None, "workflow": {"launchPlanRefId": PLAN}, **fields}


def ended(phase: str, **fields: Any) -> ExecutionClosure:
    return ExecutionClosure(phase=WorkflowExecution.Phase.Value(phase), **fields)


async def show(driven: Driven, closure: ExecutionClosure, child: str = CHILD) -> None:
    driven.admin.closures[child] = closure
    driven.wake("lp")
    await driven.attend()


class Refusing(RecordingAdmin):
    """Answers each creation of a child with the next of its errors, after which it creates them."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)

    async def create_child(self, request: ExecutionCreateRequest) -> None:
        if self.errors:
            raise self.errors.pop(0)
        await super().create_child(request)


def with_admin(driven: Driven, admin: RecordingAdmin) -> Driven:
    driven.use_admin(admin)
    return driven


async def test_a_child_is_created_once_and_its_outputs_are_the_nodes() -> None:
    driven = await Driven(workflow({"a": task(), "lp": plan("a"), "b": task("lp")})).start()
    await driven.show("a", SUCCESS)
    assert list(driven.admin.children) == [CHILD]
    assert driven.of("lp") == ["QUEUED", "RUNNING"]
    outputs = {"values": OUTPUTS}
    await show(driven, ended("SUCCEEDED", outputs=outputs))
    assert driven.of("lp")[-1] == "SUCCEEDED"
    assert await driven.read("lp/data/0/outputs.pb") == OUTPUTS
    await driven.show("b", SUCCESS)
    assert driven.host.contexts["x-b-0"].inputs.literals["i0"] == integer(7)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert driven.admin.causes == {}


async def test_what_a_child_inherits_is_the_parents_own() -> None:
    manifest = workflow(
        {"lp": plan()},
        executionConfig={
            "MaxParallelism": 3,
            "Interruptible": True,
            "OverwriteCache": True,
            "EnvironmentVariables": {"A": "1"},
        },
        securityContext={"run_as": {"k8s_service_account": "robot"}},
        rawOutputDataConfig={"output_location_prefix": "s3://flyte/raw"},
    )
    manifest["metadata"]["labels"] = {"execution-id": "x", "shard-key": "7", "team": "red"}
    manifest["metadata"]["annotations"] = {"note": "blue"}
    driven = await Driven(manifest).start()
    spec = driven.admin.children[CHILD].spec
    assert dict(spec.labels.values) == {"execution-id": "x", "team": "red"}
    assert dict(spec.annotations.values) == {"note": "blue"}
    assert [(pair.key, pair.value) for pair in spec.envs.values] == [("A", "1")]
    assert (spec.max_parallelism, spec.interruptible.value, spec.overwrite_cache) == (3, True, True)
    assert spec.security_context.run_as.k8s_service_account == "robot"
    assert spec.raw_output_data_config.output_location_prefix == "s3://flyte/raw"
    assert spec.launch_plan.project == "other"
    assert (driven.admin.children[CHILD].project, driven.admin.children[CHILD].domain) == ("p", "d")
    assert spec.metadata.mode == ExecutionMetadata.CHILD_WORKFLOW
    assert spec.metadata.parent_node_execution.node_id == "lp"


async def test_the_error_of_a_child_is_the_nodes_and_is_not_retried() -> None:
    driven = await Driven(workflow({"lp": plan(retry={"minAttempts": 3})})).start()
    error = ExecutionError(code="Boom", message="it broke there", kind=ExecutionError.USER)
    await show(driven, ended("FAILED", error=error))
    assert driven.errors("lp") == [error]
    assert driven.lines[-1] == "workflow FAILED"
    assert list(driven.admin.children) == [CHILD]


@pytest.mark.parametrize(
    ("closure", "code", "words"),
    [
        (ended("ABORTED"), "RemoteChildWorkflowExecutionFailed", f"launchplan [{CHILD}] aborted"),
        (ended("FAILED"), "LaunchPlanExecutionFailed", "Unknown Error"),
        (ended("TIMED_OUT"), "LaunchPlanExecutionFailed", "Unknown Error"),
        (ended("SUCCEEDED", outputs={"uri": "s3://flyte/gone"}), "OutputsNotFound", "cannot be read"),
    ],
    ids=["aborted", "failed without an error", "timed out", "outputs are gone"],
)
async def test_a_child_that_ends_badly_fails_the_node(closure: ExecutionClosure, code: str, words: str) -> None:
    driven = await Driven(workflow({"lp": plan()})).start()
    await show(driven, closure)
    (error,) = driven.errors("lp")
    assert error.code == code
    assert words in error.message


async def test_a_child_that_vanishes_fails_the_node() -> None:
    driven = await Driven(workflow({"lp": plan()})).start()
    driven.admin.closures.clear()
    driven.wake("lp")
    await driven.attend()
    (error,) = driven.errors("lp")
    assert (error.code, error.kind) == ("NotFound", ExecutionError.SYSTEM)


async def test_a_refused_child_fails_the_node_and_names_no_execution() -> None:
    admin = Refusing(InvalidInput("input [i0] is missing"))
    driven = await with_admin(Driven(workflow({"lp": plan()})), admin).start()
    (error,) = driven.errors("lp")
    assert (error.code, error.kind) == ("RuntimeExecutionError", ExecutionError.USER)
    assert "input [i0] is missing" in error.message
    assert not any(
        request.event.HasField("workflow_node_metadata")
        for request in admin.events
        if "workflow_node_metadata" in request.event.DESCRIPTOR.fields_by_name
    )
    assert driven.lines[-1] == "workflow FAILED"


async def test_a_launch_plan_at_its_limit_fails_the_node_although_the_answer_is_that_it_exists() -> None:
    admin = Refusing(AlreadyExists("concurrency limit (1) reached"))
    driven = await with_admin(Driven(workflow({"lp": plan()})), admin).start()
    (error,) = driven.errors("lp")
    assert "concurrency limit (1) reached" in error.message


async def test_a_lost_answer_makes_no_second_child() -> None:
    class Forgetful(RecordingAdmin):
        lost = False

        async def create_child(self, request: ExecutionCreateRequest) -> None:
            await super().create_child(request)
            if not self.lost:
                self.lost = True
                raise Unavailable("no answer in time")

    admin = Forgetful()
    driven = await with_admin(Driven(workflow({"lp": plan()})), admin).start()
    assert driven.of("lp") == ["QUEUED"]
    driven.new_propeller()
    await driven.attend()
    assert driven.of("lp") == ["QUEUED", "RUNNING"]
    assert list(admin.children) == [CHILD]


async def test_an_outage_is_no_refusal() -> None:
    driven = await with_admin(
        Driven(workflow({"lp": plan()})), Refusing(Unavailable("down"), Unavailable("down"))
    ).start()
    await driven.attend()
    await driven.attend()
    assert driven.of("lp") == ["QUEUED", "RUNNING"]


async def test_an_abort_of_the_parent_terminates_the_child_and_waits_for_its_end() -> None:
    driven = await Driven(workflow({"lp": plan()})).start()
    driven.admin.closures[CHILD].updated_at.FromDatetime(driven.clock.now())
    await driven.abort()
    assert driven.lines[-1] == "workflow ABORTED"
    reason = "cascading abort as parent execution id [x] aborted, reason [Workflow aborted.]"
    assert driven.admin.causes == {CHILD: reason}
    assert (await driven.stored())["metadata"]["finalizers"]
    driven.admin.closures[CHILD] = ended("ABORTED")
    await driven.pass_time(1)
    assert not await driven.exists()


async def test_a_child_that_stays_aborting_for_ever_does_not_keep_its_parent() -> None:
    driven = await Driven(workflow({"lp": plan()})).start()
    driven.admin.closures[CHILD].updated_at.FromDatetime(driven.clock.now())
    await driven.abort()
    for _ in range(100):
        if not await driven.exists():
            break
        await driven.pass_time(20)
    assert not await driven.exists()
    assert driven.clock.now().timestamp() - driven.admin.closures[CHILD].updated_at.seconds >= 600


async def test_a_failure_beside_it_terminates_the_child() -> None:
    driven = await Driven(workflow({"lp": plan(), "a": task()})).start()
    await driven.show("a", failed(retryable=False))
    assert "Some node execution failed, auto-abort." in driven.admin.causes[CHILD]
    assert driven.of("lp")[-1] == "ABORTED"


async def test_an_attempt_that_takes_too_long_is_terminated_and_the_next_is_another_child() -> None:
    driven = await Driven(workflow({"lp": plan(executionDeadline="10s", retry={"minAttempts": 2})})).start()
    driven.admin.closures[CHILD].updated_at.FromDatetime(driven.clock.now())
    await driven.pass_time(11)
    assert CHILD in driven.admin.causes
    assert len(driven.admin.children) == 1
    await show(driven, ended("ABORTED"))
    second = child_execution_name("x", "lp", 1)
    assert list(driven.admin.children) == [CHILD, second]
    await show(driven, ended("SUCCEEDED", outputs={"values": OUTPUTS}), second)
    assert await driven.read("lp/data/1/outputs.pb") == OUTPUTS
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_children_take_places_of_max_parallelism() -> None:
    nodes = {"lp": plan(), "a": task(), "b": task()}
    driven = await Driven(workflow(nodes, executionConfig={"MaxParallelism": 1})).start()
    assert len(driven.admin.children) + len(driven.host.alive) == 1
    await show(driven, ended("SUCCEEDED", outputs={"values": OUTPUTS}))
    assert len(driven.host.alive) == 1


async def test_a_child_is_looked_at_more_rarely_the_longer_it_runs_and_never_more_than_ten_seconds_apart() -> None:
    driven = await Driven(workflow({"lp": plan()})).start()
    looks: list[float] = []
    inner = driven.admin.get_child

    async def counting(execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
        looks.append(driven.clock.now().timestamp())
        return await inner(execution)

    driven.admin.get_child = counting  # type: ignore[method-assign]
    start = driven.clock.now().timestamp()
    for _ in range(4 * 300):
        await driven.pass_time(0.25)
    gaps = [after - before for before, after in pairwise(looks)]
    assert looks[0] - start <= 0.5
    assert gaps == sorted(gaps)
    assert max(gaps) <= 10.25
    assert len(looks) < 70


async def test_the_end_of_a_child_that_runs_here_too_wakes_its_parent_at_once() -> None:
    driven = await Driven(workflow({"lp": plan()})).start()
    driven.admin.closures[CHILD] = ended("SUCCEEDED", outputs={"values": OUTPUTS})
    child = workflow({})
    child["metadata"]["name"] = child["executionId"]["name"] = CHILD
    await driven.cluster.create(child)
    key = driven.key._replace(name=CHILD)
    await driven.propeller.attend(key)
    await driven.attend()
    assert driven.of("lp")[-1] == "SUCCEEDED"


async def test_a_launch_plan_may_be_the_failure_node() -> None:
    driven = await Driven(workflow({"a": task()}, failure=plan())).start()
    await driven.show("a", failed(retryable=False))
    child = child_execution_name("x", "fn0", 0)
    assert list(driven.admin.children) == [child]
    driven.admin.closures[child] = ended("SUCCEEDED")
    driven.wake("fn0")
    await driven.attend()
    assert driven.of("fn0")[-1] == "SUCCEEDED"
    assert driven.lines[-1] == "workflow FAILED"


async def test_a_fault_of_the_data_plane_that_ends_the_parent_ends_the_child() -> None:
    class Faulty(RecordingAdmin):
        async def get_child(self, execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
            raise RuntimeError("a bug")

    admin = Faulty()
    driven = await with_admin(Driven(workflow({"lp": plan()})), admin).start()
    for _ in range(11):
        await driven.attend()
    assert "a bug" in driven.errors("workflow")[-1].message
    assert list(admin.causes) == [CHILD]
