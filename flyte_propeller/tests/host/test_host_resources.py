"""Objects in the cluster: created by name, confirmed by uid, kept until their result is read, and then gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flyteidl.core.errors_pb2 import ContainerError, ErrorDocument
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import Literal, Primitive, Scalar
from flyteidl.core.security_pb2 import Secret
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_core.cluster import POD
from flyte_core.errors import InvalidInput, PermissionDenied, TooLarge, Unavailable
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.host.additions import FINALIZER
from flyte_propeller.shell.ports import Launched

from .conftest import OWNER, Bench, Install, Open, context, integer, outputs_of

SYSTEM, USER = ExecutionError.SYSTEM, ExecutionError.USER


@pytest.fixture
def ready(install: Install, bench: Open) -> Bench:
    install("res")
    return bench()


async def launched(ready: Bench, ctx: TaskContext) -> Launched:
    result = await ready.host.launch(ctx)
    assert isinstance(result, Launched), result
    return result


async def ended(ready: Bench, ctx: TaskContext, phase: str = "Succeeded") -> Launched:
    token = await launched(ready, ctx)
    pod = await ready.cluster.get(POD, ctx.namespace, ctx.generated_name)
    assert pod is not None
    await ready.cluster.replace({**pod, "status": {"phase": phase}})
    return token


def error_of(result: object) -> tuple[TaskPhase, str, int]:
    assert isinstance(result, PhaseInfo)
    assert result.error is not None
    return result.phase, result.error.code, result.error.kind


async def test_an_object_gets_name_owner_labels_and_finalizer(ready: Bench) -> None:
    ctx = context("res", interruptible=True, annotations={"a": "b"})
    token = await launched(ready, ctx)
    pod = await ready.cluster.get(POD, "p-d", "ex-n0-0")
    assert pod is not None
    metadata = pod["metadata"]
    assert metadata["uid"] == token.token
    assert metadata["ownerReferences"] == [OWNER]
    assert metadata["finalizers"] == [FINALIZER]
    assert metadata["annotations"] == {"a": "b"}
    assert metadata["labels"] == {
        "mine": "1",
        "execution-id": "ex",
        "node-id": "n0",
        "task-name": "my-task",
        "interruptible": "true",
    }


async def test_secrets_are_asked_for_as_upstreams_webhook_reads_them(ready: Bench) -> None:
    ctx = context("res")
    ctx.template.security_context.secrets.append(Secret(group="g", key="k", mount_requirement=Secret.ENV_VAR))
    await launched(ready, ctx)
    pod = await ready.cluster.get(POD, "p-d", "ex-n0-0")
    assert pod is not None
    assert pod["metadata"]["labels"]["inject-flyte-secrets"] == "true"
    encoded = pod["metadata"]["annotations"]["flyte.secrets/s0"]
    alphabet = "abcdefghijklmnopqrstuvwxyz123456"
    bits = "".join(f"{alphabet.index(letter):05b}" for letter in encoded)
    text = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8)).decode()
    assert text.split() == ["group:", '"g"', "key:", '"k"', "mount_requirement:", "ENV_VAR"]


async def test_a_second_launch_finds_the_first(ready: Bench) -> None:
    assert await launched(ready, context("res")) == await launched(ready, context("res"))


async def test_an_object_of_another_owner_is_not_adopted_and_not_deleted(ready: Bench) -> None:
    before = await launched(ready, context("res"))
    ctx = replace(context("res"), owner={**OWNER, "uid": "owner-2"})
    assert error_of(await ready.host.launch(ctx)) == (TaskPhase.RETRYABLE_FAILURE, "ResourceNameTaken", SYSTEM)
    assert await ready.host.delete(ctx, None)
    pod = await ready.cluster.get(POD, "p-d", "ex-n0-0")
    assert pod is not None
    assert pod["metadata"]["uid"] == before.token


async def test_a_success_needs_complete_outputs_of_the_right_type(ready: Bench) -> None:
    ctx = context("res", outputs=("a", "b"))
    token = await ended(ready, ctx)
    assert error_of(await ready.host.observe(ctx, token)) == (TaskPhase.RETRYABLE_FAILURE, "OutputsNotFound", USER)

    await ready.write(ctx, "outputs.pb", outputs_of(a=integer(1)))
    info = await ready.host.observe(ctx, token)
    assert error_of(info) == (TaskPhase.PERMANENT_FAILURE, "OutputsNotGenerated", USER)
    assert info.error is not None
    assert info.error.message.endswith("has no output b")

    text = Literal(scalar=Scalar(primitive=Primitive(string_value="x")))
    await ready.write(ctx, "outputs.pb", outputs_of(a=integer(1), b=text))
    info = await ready.host.observe(ctx, token)
    assert error_of(info) == (TaskPhase.PERMANENT_FAILURE, "OutputsBadType", USER)
    assert info.error is not None
    assert "output 'b'" in info.error.message
    assert "expected INTEGER, got STRING" in info.error.message

    await ready.write(ctx, "outputs.pb", outputs_of(a=integer(1), b=integer(2)))
    assert await ready.host.observe(ctx, token) == PhaseInfo(TaskPhase.SUCCESS)


async def test_a_task_without_outputs_needs_none(ready: Bench) -> None:
    ctx = context("res", outputs=())
    assert await ready.host.observe(ctx, await ended(ready, ctx)) == PhaseInfo(TaskPhase.SUCCESS)


async def test_outputs_above_the_limit_name_object_size_limit_and_setting(ready: Bench) -> None:
    ctx = context("res")
    token = await ended(ready, ctx)
    await ready.write(ctx, "outputs.pb", b"x" * 1001)
    info = await ready.host.observe(ctx, token)
    assert error_of(info) == (TaskPhase.PERMANENT_FAILURE, "OutputSizeExceeded", USER)
    assert info.error is not None
    for part in ("mem://b/n0/data/0/outputs.pb", "1001", "1000", "output_limit"):
        assert part in info.error.message


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("outputs.pb", b"\xff\xff\xff", "OutputsBadFormat"),
        ("error.pb", b"\xff\xff\xff", "ErrorFileBadFormat"),
        ("error.pb", b"", "ErrorFileBadFormat"),
        ("error.pb", b"x" * 1001, "ErrorFileBadFormat"),
    ],
)
async def test_what_cannot_be_read_is_a_system_failure_that_names_it(
    ready: Bench, name: str, data: bytes, code: str
) -> None:
    ctx = context("res")
    token = await ended(ready, ctx)
    await ready.write(ctx, name, data)
    info = await ready.host.observe(ctx, token)
    assert error_of(info) == (TaskPhase.RETRYABLE_FAILURE, code, SYSTEM)
    assert info.error is not None
    assert f"mem://b/n0/data/0/{name}" in info.error.message


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
@pytest.mark.parametrize(
    ("kind", "origin", "expected"),
    [
        (ContainerError.RECOVERABLE, USER, (TaskPhase.RETRYABLE_FAILURE, "USER:Boom", USER)),
        (ContainerError.NON_RECOVERABLE, USER, (TaskPhase.PERMANENT_FAILURE, "USER:Boom", USER)),
        (ContainerError.RECOVERABLE, SYSTEM, (TaskPhase.RETRYABLE_FAILURE, "USER:Boom", SYSTEM)),
        (ContainerError.NON_RECOVERABLE, 0, (TaskPhase.PERMANENT_FAILURE, "USER:Boom", USER)),
    ],
)
async def test_the_error_document_beats_outputs_and_exit_code(
    ready: Bench, phase: str, kind: int, origin: int, expected: tuple[TaskPhase, str, int]
) -> None:
    ctx = context("res")
    token = await ended(ready, ctx, phase)
    error = ContainerError(
        code="USER:Boom", message="boom 6", kind=kind, origin=origin, worker="w", timestamp=Timestamp(seconds=9)
    )
    await ready.write(ctx, "outputs.pb", outputs_of(o0=integer(1)))
    await ready.write(ctx, "error.pb", ErrorDocument(error=error).SerializeToString())
    info = await ready.host.observe(ctx, token)
    assert error_of(info) == expected
    assert info.error is not None
    assert (info.error.message, info.error.worker, info.error.timestamp.seconds) == ("boom 6", "w", 9)


async def test_a_failure_without_an_error_document_is_the_plugins(ready: Bench) -> None:
    ctx = context("res")
    info = await ready.host.observe(ctx, await ended(ready, ctx, "Failed"))
    assert error_of(info) == (TaskPhase.RETRYABLE_FAILURE, "Error", USER)


async def test_a_task_that_leaves_futures_in_place_of_outputs_is_a_dynamic_one(ready: Bench) -> None:
    ctx = context("res")
    token = await ended(ready, ctx)
    await ready.write(ctx, "futures.pb", b"")
    info = await ready.host.observe(ctx, token)
    assert (info.phase, info.has_futures) == (TaskPhase.SUCCESS, True)


async def test_an_object_that_vanished_is_a_system_failure(ready: Bench) -> None:
    ctx = context("res")
    await launched(ready, ctx)
    info = await ready.host.observe(ctx, Launched("another uid"))
    assert error_of(info) == (TaskPhase.RETRYABLE_FAILURE, "ResourceDeletedExternally", SYSTEM)
    info = await ready.host.observe(replace(ctx, generated_name="nothing"), Launched("x"))
    assert error_of(info) == (TaskPhase.RETRYABLE_FAILURE, "ResourceDeletedExternally", SYSTEM)


async def test_an_object_that_somebody_deletes_stays_until_its_result_is_read(ready: Bench) -> None:
    ctx = context("res")
    token = await ended(ready, ctx)
    await ready.write(ctx, "outputs.pb", outputs_of(o0=integer(1)))
    await ready.cluster.delete(POD, "p-d", "ex-n0-0", grace_seconds=0)
    assert await ready.host.observe(ctx, token) == PhaseInfo(TaskPhase.SUCCESS)
    assert await ready.host.delete(ctx, token)
    assert await ready.cluster.get(POD, "p-d", "ex-n0-0") is None


async def test_an_object_that_somebody_deletes_while_it_runs_is_a_system_failure(ready: Bench) -> None:
    ctx = context("res")
    token = await ended(ready, ctx, "Running")
    await ready.cluster.delete(POD, "p-d", "ex-n0-0")
    info = await ready.host.observe(ctx, token)
    assert error_of(info) == (TaskPhase.RETRYABLE_FAILURE, "UnexpectedObjectDeletion", SYSTEM)


async def test_deleting_a_running_pod_is_done_when_the_pod_is_gone(ready: Bench) -> None:
    ctx = context("res")
    token = await ended(ready, ctx, "Running")
    assert not await ready.host.delete(ctx, token)
    assert not await ready.host.delete(ctx, token)
    await ready.cluster.delete(POD, "p-d", "ex-n0-0", grace_seconds=0)
    assert await ready.host.delete(ctx, token)


async def test_an_attempt_whose_token_was_never_stored_is_deleted_by_name(ready: Bench) -> None:
    await launched(ready, context("res"))
    assert await ready.host.delete(context("res"), None)
    assert await ready.cluster.get(POD, "p-d", "ex-n0-0") is None


async def test_another_incarnation_is_not_deleted(ready: Bench) -> None:
    await launched(ready, context("res"))
    assert await ready.host.delete(context("res"), Launched("the one before"))
    assert await ready.cluster.get(POD, "p-d", "ex-n0-0") is not None


async def test_the_task_template_is_written_where_the_command_asks_for_it(ready: Bench) -> None:
    ctx = context("res")
    await launched(ready, ctx)
    assert await ready.store.stat("mem://b/n0/data/0/task.pb") is None
    ctx = replace(ctx, generated_name="ex-n1-0")
    ctx.template.container.args.append("{{.taskTemplatePath}}")
    await launched(ready, ctx)
    assert await ready.store.read("mem://b/n0/data/0/task.pb") == ctx.template.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (InvalidInput("spec.x: bad"), (TaskPhase.PERMANENT_FAILURE, "BadTaskFormat", USER)),
        (TooLarge("2 MB"), (TaskPhase.PERMANENT_FAILURE, "EntityTooLarge", USER)),
        (PermissionDenied("no"), (TaskPhase.RETRYABLE_FAILURE, "RuntimeFailure", SYSTEM)),
    ],
)
async def test_a_refusal_of_the_cluster_is_the_tasks_failure(
    ready: Bench, raised: Exception, expected: tuple[TaskPhase, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def create(manifest: object) -> object:
        raise raised

    monkeypatch.setattr(ready.cluster, "create", create)
    result = await ready.host.launch(context("res"))
    assert error_of(result) == expected


async def test_a_used_up_quota_is_waited_for(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def create(manifest: object) -> object:
        raise PermissionDenied("exceeded quota: compute")

    monkeypatch.setattr(ready.cluster, "create", create)
    result = await ready.host.launch(context("res"))
    assert isinstance(result, PhaseInfo)
    assert result.phase is TaskPhase.WAITING_FOR_RESOURCES
    assert result.reason.startswith("Exceeded resourcequota: ")


async def test_a_store_that_does_not_answer_is_nobodys_failure(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = context("res")
    token = await ended(ready, ctx)

    async def read(self: MemoryStore, uri: str, *, limit: int | None = None) -> bytes:
        raise Unavailable("the store is away")

    monkeypatch.setattr(MemoryStore, "read", read)
    with pytest.raises(Unavailable):
        await ready.host.observe(ctx, token)
