"""What each status of a pod means: phases, codes, messages, budgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flyteidl.core.execution_pb2 import ExecutionError, TaskLog
from hypothesis import given
from hypothesis import strategies as st

from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo

from .conftest import context, task_type

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
USER, SYSTEM = ExecutionError.USER, ExecutionError.SYSTEM
RETRY, PERMANENT = TaskPhase.RETRYABLE_FAILURE, TaskPhase.PERMANENT_FAILURE
MAIN = "ex-n0-0"
LINK = "http://localhost:30082/#!/log/p-d/ex-n0-0/pod?namespace=p-d"


def ago(**passed: float) -> str:
    return (NOW - timedelta(**passed)).isoformat().replace("+00:00", "Z")


def pod(status: dict[str, Any], *, primary: bool = True, **metadata: Any) -> dict[str, Any]:
    annotations = {"primary_container_name": MAIN} if primary else {}
    return {
        "metadata": {"name": MAIN, "namespace": "p-d", "annotations": annotations, **metadata},
        "spec": {"containers": [{"name": MAIN}, {"name": "side"}]},
        "status": status,
    }


def ended(code: int, reason: str = "", message: str = "", *, name: str = MAIN, **more: Any) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason, "message": message, "finishedAt": ago(seconds=5)}}
    return {"name": name, "state": state, **more}


def waits(reason: str, message: str = "m", *, name: str = MAIN) -> dict[str, Any]:
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}}


def runs(*, name: str = MAIN) -> dict[str, Any]:
    return {"name": name, "state": {"running": {"startedAt": ago(seconds=9)}}}


def observe(manifest: dict[str, Any], now: datetime | None = NOW, **config: Any) -> PhaseInfo:
    return task_type(**config).observe(replace(context(), now=now), manifest)


# -- running and ended well


def test_a_running_pod_is_running_since_its_container_is_with_its_logs() -> None:
    info = observe(pod({"phase": "Running", "containerStatuses": [runs()]}))
    assert info == PhaseInfo(
        TaskPhase.RUNNING,
        1,
        logs=(TaskLog(uri=LINK, name="Kubernetes Logs (User)", message_format=TaskLog.JSON),),
        occurred_at=NOW - timedelta(seconds=9),
    )


def test_without_logs_running_is_version_zero() -> None:
    info = observe(pod({"phase": "Running", "containerStatuses": [runs()]}), logs={"kubernetes-enabled": False})
    assert (info.version, info.logs) == (0, ())


def test_a_pod_that_says_running_before_its_containers_do_is_running() -> None:
    assert observe(pod({"phase": "Running"})).phase is TaskPhase.RUNNING


@pytest.mark.parametrize(
    ("status", "primary"),
    [
        ({"phase": "Succeeded"}, True),
        ({"phase": "Succeeded", "containerStatuses": [ended(0)]}, True),
        ({"phase": "Running", "containerStatuses": [ended(0), runs(name="side")]}, True),
        ({"phase": "Running", "containerStatuses": [ended(0), ended(0, name="side")]}, False),
        ({"phase": "Failed", "containerStatuses": [ended(0), ended(1, "Error", name="side")]}, True),
    ],
    ids=["bare", "with statuses", "primary before its sidecar", "all containers", "sidecar failed afterwards"],
)
def test_success(status: dict[str, Any], primary: bool) -> None:
    info = observe(pod(status, primary=primary))
    assert (info.phase, info.version, info.error) == (TaskPhase.SUCCESS, 0, None)
    if "containerStatuses" in status:
        assert info.occurred_at == NOW - timedelta(seconds=5)


def test_without_a_primary_container_all_must_have_ended() -> None:
    status = {"phase": "Running", "containerStatuses": [ended(0), runs(name="side")]}
    assert observe(pod(status, primary=False)).phase is TaskPhase.RUNNING


# -- failures


@pytest.mark.parametrize(
    ("status", "expected", "told"),
    [
        pytest.param(
            {"phase": "Failed", "containerStatuses": [ended(1, "Error", "last words")]},
            (RETRY, "Error", USER),
            "Pod failed. No message received from kubernetes.\r\n[ex-n0-0] terminated with exit code (1). "
            "Reason [Error]. Message: \nlast words.",
            id="exit code",
        ),
        pytest.param(
            {"phase": "Running", "containerStatuses": [ended(2, "Error", "x"), runs(name="side")]},
            (RETRY, "Error", USER),
            "\r\n[ex-n0-0] terminated with exit code (2). Reason [Error]. Message: \nx.",
            id="exit code of the primary beside a sidecar",
        ),
        pytest.param(
            {"phase": "Failed", "containerStatuses": [ended(137, "OOMKilled")]},
            (RETRY, "OOMKilled", USER),
            "Reason [OOMKilled]",
            id="out of memory",
        ),
        pytest.param(
            {"phase": "Succeeded", "containerStatuses": [ended(0, "OOMKilled")]},
            (RETRY, "OOMKilled", USER),
            "Pod reported success despite being OOMKilled",
            id="out of memory, called a success",
        ),
        pytest.param(
            {"phase": "Failed", "containerStatuses": [ended(137, "Error")]},
            (RETRY, "Interrupted", SYSTEM),
            "terminated with exit code (137)",
            id="killed",
        ),
        pytest.param(
            {"phase": "Running", "containerStatuses": [ended(247, "Error")]},
            (RETRY, "Interrupted", SYSTEM),
            "terminated with exit code (247)",
            id="killed, 247",
        ),
        *(
            pytest.param(
                {"phase": "Failed", "reason": reason, "message": "node going down"},
                (RETRY, "Interrupted", SYSTEM),
                "node going down",
                id=reason,
            )
            for reason in ("Shutdown", "Terminated", "NodeShutdown", "NodeAffinity")
        ),
        pytest.param(
            {"phase": "Failed"},
            (RETRY, "Interrupted", SYSTEM),
            "Pod failed. No message received from kubernetes.",
            id="no word of why",
        ),
        pytest.param(
            {"phase": "Failed", "reason": "Evicted", "message": "low on memory", "containerStatuses": [ended(0)]},
            (RETRY, "Evicted", USER),
            "low on memory\r\n[ex-n0-0] terminated with ExitCode 0.",
            id="evicted",
        ),
        pytest.param(
            {"phase": "Failed", "initContainerStatuses": [ended(3, "Error", "init", name="setup")]},
            (RETRY, "Error", USER),
            "\r\n[setup] terminated with exit code (3). Reason [Error]. Message: \ninit.",
            id="init container",
        ),
        pytest.param(
            {"phase": "Failed", "containerStatuses": [ended(1, "Sidecar", name="a"), ended(2, "Main")]},
            (RETRY, "Main", USER),
            "[a] terminated with exit code (1)",
            id="the primary container is the cause where it failed",
        ),
        pytest.param(
            {"phase": "Running", "containerStatuses": [runs(name="side")]},
            (PERMANENT, "PrimaryContainerNotFound", USER),
            "Primary container [ex-n0-0] not found",
            id="no primary container",
        ),
        pytest.param(
            {"phase": "Pending", "containerStatuses": [waits("InvalidImageName", "bad name")]},
            (PERMANENT, "InvalidImageName", USER),
            "bad name",
            id="no image name",
        ),
        pytest.param(
            {"phase": "Pending", "containerStatuses": [waits("CreateContainerConfigError", "no secret")]},
            (PERMANENT, "CreateContainerConfigError", USER),
            "no secret",
            id="container config",
        ),
        pytest.param(
            {"phase": "Pending", "containerStatuses": [waits("RunContainerError", "odd")]},
            (RETRY, "RunContainerError", SYSTEM),
            "odd",
            id="any other reason of waiting",
        ),
        pytest.param(
            {"phase": "Pending", "containerStatuses": [waits("ContainerCreating"), waits("Odd", name="side")]},
            (RETRY, "Odd", SYSTEM),
            "m",
            id="trouble behind one that is on its way",
        ),
    ],
)
def test_failure(status: dict[str, Any], expected: tuple[TaskPhase, str, int], told: str) -> None:
    info = observe(pod(status))
    assert info.error is not None
    assert (info.phase, info.error.code, info.error.kind) == expected
    assert told in info.error.message


# -- pending


@pytest.mark.parametrize(
    ("status", "phase", "version", "reason"),
    [
        ({}, TaskPhase.QUEUED, 0, ""),
        ({"phase": "Pending"}, TaskPhase.QUEUED, 0, ""),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
                ],
            },
            TaskPhase.QUEUED,
            1,
            "Unschedulable:0/3 nodes",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "Ready", "status": "False", "reason": "NotReady", "message": "unready: [a]"}],
                "containerStatuses": [waits("ContainerCreating", "")],
            },
            TaskPhase.INITIALIZING,
            0,
            "[NotReady|ContainerCreating]: unready: [a]",
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [waits("PodInitializing")]},
            TaskPhase.INITIALIZING,
            0,
            "[PodInitializing]: m",
        ),
        (
            {"phase": "Pending", "containerStatuses": [waits("ErrImagePull", "404")]},
            TaskPhase.INITIALIZING,
            1,
            "[ErrImagePull]: 404",
        ),
        ({"phase": "Unknown"}, TaskPhase.QUEUED, 1, "the state of the pod is unknown"),
    ],
)
def test_waiting(status: dict[str, Any], phase: TaskPhase, version: int, reason: str) -> None:
    info = observe(pod(status))
    assert (info.phase, info.version, info.reason, info.error) == (phase, version, reason, None)
    assert [log.uri for log in info.logs] == [LINK]


@pytest.mark.parametrize(("reason", "phase_after"), [("ImagePullBackOff", RETRY), ("CreateContainerError", PERMANENT)])
def test_some_trouble_is_borne_for_three_minutes(reason: str, phase_after: TaskPhase) -> None:
    def status(since: str) -> dict[str, Any]:
        ready = {"type": "Ready", "status": "False", "reason": "R", "lastTransitionTime": since}
        return {"phase": "Pending", "conditions": [ready], "containerStatuses": [waits(reason, "why")]}

    before = observe(pod(status(ago(minutes=2))))
    assert (before.phase, before.version, before.error) == (TaskPhase.INITIALIZING, 1, None)
    after = observe(pod(status(ago(minutes=3, seconds=1))))
    assert after.error is not None
    assert (after.phase, after.error.code, after.error.kind) == (phase_after, f"R|{reason}", USER)
    assert after.error.message == "Grace period [180s] exceeded|why"
    assert observe(pod(status(ago(minutes=9))), now=None).phase is TaskPhase.INITIALIZING
    config: dict[str, Any] = {
        "image_pull_backoff_grace_period": "10m",
        "create_container_error_grace_period": 600,
    }
    assert observe(pod(status(ago(minutes=9))), **config).phase is TaskPhase.INITIALIZING


def test_the_grace_period_counts_from_creation_where_nothing_else_is_known() -> None:
    status = {"phase": "Pending", "containerStatuses": [waits("ImagePullBackOff")]}
    assert observe(pod(status, creationTimestamp=ago(minutes=1))).phase is TaskPhase.INITIALIZING
    assert observe(pod(status, creationTimestamp=ago(minutes=4))).phase is RETRY


def test_a_config_error_can_be_given_time_too() -> None:
    status = {"phase": "Pending", "containerStatuses": [waits("CreateContainerConfigError")]}
    info = observe(pod(status, creationTimestamp=ago(seconds=5)), create_container_config_error_grace_period="10s")
    assert info.phase is TaskPhase.INITIALIZING


def test_a_pod_that_does_not_start_in_time_fails_where_configured() -> None:
    slow = pod({"phase": "Pending"}, creationTimestamp=ago(minutes=10))
    assert observe(slow).phase is TaskPhase.QUEUED
    info = observe(slow, pod_pending_timeout="5m")
    assert info.error is not None
    assert (info.phase, info.error.code) == (RETRY, "PodPendingTimeout")


# -- totality

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("2024-01-01")
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner))
STATES = st.dictionaries(
    st.sampled_from(["waiting", "running", "terminated"]),
    st.dictionaries(
        st.sampled_from(["reason", "message", "exitCode", "startedAt", "finishedAt"]),
        SCALARS | st.sampled_from(["OOMKilled", "ImagePullBackOff", 137]),
    )
    | SCALARS,
)
CONTAINERS = st.lists(
    st.fixed_dictionaries({}, optional={"name": st.sampled_from([MAIN, "side"]) | JSON, "state": STATES | JSON}) | JSON,
    max_size=3,
)
STATUSES = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"]) | JSON,
        "reason": JSON,
        "message": JSON,
        "conditions": st.lists(st.dictionaries(st.sampled_from(["type", "status", "reason"]), JSON)) | JSON,
        "containerStatuses": CONTAINERS | JSON,
        "initContainerStatuses": CONTAINERS | JSON,
    },
)


@given(STATUSES | JSON, st.booleans())
def test_any_status_has_an_answer(status: Any, primary: bool) -> None:
    info = observe(pod(status, primary=primary))
    assert isinstance(info.phase, TaskPhase)
    assert (info.error is not None) == (info.phase in (RETRY, PERMANENT))


FIELDS = ["name", "namespace", "annotations", "primary_container_name", "containers", "initContainers", "hostname"]


@given(
    st.dictionaries(
        st.sampled_from(["metadata", "spec", "status"]),
        st.dictionaries(st.sampled_from(FIELDS), JSON | CONTAINERS) | JSON,
    )
)
def test_any_object_has_an_answer(manifest: dict[str, Any]) -> None:
    manifest = {"status": {"phase": "Running"}, **manifest}
    assert isinstance(observe(manifest).phase, TaskPhase)
