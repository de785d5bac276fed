"""Pods as processes: how they start, what they see, how they end, what they leave."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import signal
import tarfile

import pytest

from flyte_core.cluster import POD
from flyte_core.errors import Unavailable
from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.adapters.embedded import EmbeddedCluster
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable

from .conftest import NAMESPACE, Pods, alive, exit_code, manifest

IGNORES_TERM = "trap '' TERM; echo $$; while :; do sleep 0.1; done"
DETACHED = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        print(os.getpid(), flush=True)\n"
    "        time.sleep(100)\n"
    "    os._exit(0)\n"
    "os.wait()\n"
    "time.sleep(float(os.environ['STAY']))\n"
)


def stay(seconds: float) -> dict[str, object]:
    return {"container": {"env": [{"name": "STAY", "value": str(seconds)}]}}


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            member.mode = 0o755
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


async def test_a_pod_whose_program_ends_well_succeeds(pods):
    pod = await pods.run("p", "sh", "-c", "echo out; echo err >&2")
    assert pod["status"]["phase"] == "Succeeded"
    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (0, "Completed")
    assert pod["status"]["startTime"]
    assert pods.log("p") == "out\nerr\n"


async def test_an_exit_code_and_the_end_of_the_log_are_told(pods):
    pod = await pods.run("p", "sh", "-c", "echo why; exit 3")
    assert pod["status"]["phase"] == "Failed"
    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"], terminated["message"]) == (3, "Error", "why\n")


async def test_a_signal_is_told_as_kubernetes_tells_it(pods):
    assert exit_code(await pods.run("p", "sh", "-c", "kill -KILL $$")) == 137
    assert exit_code(await pods.run("q", "sh", "-c", "kill -SEGV $$")) == 139


async def test_a_longer_pod_is_shown_running_and_watches_see_its_phases_in_order(pods):
    since = (await pods.cluster.list(POD)).resource_version
    await pods.run("p", "sleep", "0.3")
    phases = []
    async for event in pods.cluster.watch(POD, since=since):
        phases.append((event.object.get("status") or {}).get("phase"))
        if phases[-1] == "Succeeded":
            break
    assert phases == [None, "Running", "Succeeded"]


async def test_a_program_that_is_not_there_fails_with_its_name(pods):
    pod = await pods.run("p", "no-such-program")
    assert exit_code(pod) == 127
    assert "no-such-program: not found on PATH" in pods.log("p")


@pytest.mark.parametrize("argv", [("pyflyte-execute",), ("pyflyte-fast-execute", "--", "pyflyte-execute")])
async def test_an_image_without_flyte_names_image_environment_and_setting(pods, python, argv):
    await pods.cluster.create(manifest("p", *argv))
    pod = await pods.shown("p", lambda pod: pod.get("status"))
    waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "InvalidImageName"
    for part in ("img:1", str(python), "pyflyte-", "--image"):
        assert part in waiting["message"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"initContainers": [{"name": "i"}]}, "initContainers"),
        ({"container": {"name": "../../x"}}, "no name for a container"),
        ({"container": {"env": [{"name": "S", "valueFrom": {}}]}}, "env S: valueFrom"),
        ({"container": {"resources": {"limits": {"memory": "much"}}}}, "'much' is no amount of memory"),
    ],
)
async def test_what_the_cluster_cannot_do_is_said_by_name(pods, more, told):
    await pods.cluster.create(manifest("p", "true", **more))
    pod = await pods.shown("p", lambda pod: pod.get("status"))
    assert told in json.dumps(pod["status"])
    await pods.delete("p")


async def test_nothing_of_the_servers_environment_reaches_a_pod(pods, monkeypatch):
    monkeypatch.setenv("OF_THE_SERVER", "secret")
    await pods.run("p", "env", container={"env": [{"name": "GIVEN", "value": "x y"}]})
    names = {line.split("=", 1)[0] for line in pods.log("p").splitlines()}
    assert "GIVEN=x y" in pods.log("p").splitlines()
    assert names <= {
        "GIVEN",
        "HOME",
        "LANG",
        "PATH",
        "PIP_DISABLE_PIP_VERSION_CHECK",
        "PYTHONUNBUFFERED",
        "TMPDIR",
        "PWD",
    }


async def test_each_pod_works_in_a_folder_of_its_own(pods):
    for name in ("p", "q"):
        await pods.run(name, "sh", "-c", 'pwd; ls -A; echo "$HOME"; touch here "$TMPDIR/x"; stat -c %a .')
    p, q = (pods.log(name).split() for name in ("p", "q"))
    assert p[0] == p[1] != q[0]
    assert p[2] == "700"


async def test_a_pod_inherits_no_descriptors(pods):
    await pods.run("p", "sh", "-c", "ls -l /proc/self/fd | grep -v -e proc -e total | wc -l; readlink /proc/self/fd/0")
    assert pods.log("p").split() == ["3", "/dev/null"]


def signals(status: str) -> dict[str, int]:
    """Return the sets of signals in lines of /proc/PID/status, without the two that glibc keeps to itself.

    No program can set 32 and 33, and whatever GNU make starts has them ignored: glibc's posix_spawn does that.
    """
    sets = (line.split(":") for line in status.splitlines())
    return {name: int(bits, 16) & ~(0b11 << 31) for name, bits in sets}


async def test_signals_are_as_a_fresh_process_has_them(pods, python):
    await pods.run("p", "sh", "-c", "grep -E 'SigIgn|SigBlk' /proc/self/status")
    assert signals(pods.log("p")) == {"SigBlk": 0, "SigIgn": 0}


async def test_signals_are_fresh_even_if_the_program_was_started_to_ignore_them(python, tmp_path):
    ignored = [signal.SIGQUIT, signal.SIGHUP]
    before = [signal.signal(number, signal.SIG_IGN) for number in ignored]
    try:
        images = ImageTable((), Environment(python))
        cluster = await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore(), images=images)
        pods = Pods(cluster, MemoryStore(), tmp_path / "c")
        await pods.run("p", "sh", "-c", "grep SigIgn /proc/self/status")
        assert signals(pods.log("p")) == {"SigIgn": 0}
        await cluster.close()
    finally:
        for number, handler in zip(ignored, before, strict=True):
            signal.signal(number, handler)


async def test_code_is_unpacked_into_the_folder_of_the_pod_whatever_the_command_says(pods, python, tmp_path):
    (python.parent / "pyflyte-fast-execute").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    await pods.store.write("mem://code.tar.gz", archive({"pkg/mod.py": "x = 1\n", "tmp": "a file of that name"}))
    fast = ("pyflyte-fast-execute", "--additional-distribution", "mem://code.tar.gz", "--dest-dir", str(elsewhere))
    inner = ("sh", "-c", 'pwd; cat pkg/mod.py; echo "$PYTHONPATH"; echo "$@"', "sh", "--resolver", "r")
    pod = await pods.run("p", *fast, "--", *inner)
    assert pod["status"]["phase"] == "Succeeded"
    work, code, path, words = pods.log("p").splitlines()
    assert work == path
    assert str(pods.folder) in work
    assert code == "x = 1"
    assert words.split() == [
        "--dynamic-addl-distro",
        "mem://code.tar.gz",
        "--dynamic-dest-dir",
        str(elsewhere),
        "--resolver",
        "r",
    ]
    assert list(elsewhere.iterdir()) == []


async def test_the_pickle_of_a_notebook_is_left_as_it_is_in_the_folder_of_the_pod(pods, python):
    (python.parent / "pyflyte-fast-execute").touch()
    await pods.store.write("mem://h/pkl.gz", b"this is no archive")
    fast = ("pyflyte-fast-execute", "--additional-distribution", "mem://h/pkl.gz", "--dest-dir", ".")
    pod = await pods.run("p", *fast, "--", "cat", "pkl.gz")
    assert pod["status"]["phase"] == "Succeeded"
    assert pods.log("p") == "this is no archive"


async def test_code_that_cannot_be_unpacked_is_named(pods, python):
    (python.parent / "pyflyte-fast-execute").touch()
    await pods.store.write("mem://bad.tar.gz", b"this is no archive")
    for name, code in (("p", "mem://bad.tar.gz"), ("q", "mem://none.tar.gz")):
        command = ("pyflyte-fast-execute", "--additional-distribution", code, "--", "true")
        await pods.cluster.create(manifest(name, *command))
        pod = await pods.shown(name, lambda pod: pod.get("status"))
        assert pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CreateContainerConfigError"


async def test_a_pod_that_the_machine_could_not_start_is_started_later(tmp_path, python, monkeypatch):
    class Failing(MemoryStore):
        failures = 1

        async def read(self, uri: str, *, limit: int | None = None) -> bytes:
            if self.failures:
                self.failures -= 1
                raise Unavailable("the store is away")
            return await super().read(uri, limit=limit)

    (python.parent / "pyflyte-fast-execute").touch()
    store = Failing()
    await store.write("mem://c.tar.gz", archive({"a": "b"}))
    cluster = await EmbeddedCluster.open(tmp_path / "c", store=store, images=ImageTable((), Environment(python)))
    await cluster.create(
        manifest("p", "pyflyte-fast-execute", "--additional-distribution", "mem://c.tar.gz", "--", "cat", "a")
    )
    seen = []
    while not seen or seen[-1] != "Succeeded":
        status = (await cluster.get(POD, NAMESPACE, "p")).get("status") or {}
        seen.append(status.get("phase"))
        await asyncio.sleep(0.02)
    assert "Pending" in seen
    await cluster.close()


async def test_deleting_a_pod_ends_its_processes_and_removes_its_folder(pods):
    await pods.running("p", "sh", "-c", "echo $$; sleep 100 & echo $!; wait")
    await asyncio.sleep(0.05)
    pids = list(map(int, pods.log("p").split()))
    assert len(pids) == 2
    await pods.delete("p")
    assert not any(map(alive, pids))
    await pods.no_folder_left()


async def test_a_process_that_ignores_the_request_is_killed_after_its_grace(pods):
    await pods.running("p", "sh", "-c", IGNORES_TERM)
    pid = int(await pods.logged("p"))
    before = asyncio.get_running_loop().time()
    await pods.delete("p", grace_seconds=1)
    assert 0.9 < asyncio.get_running_loop().time() - before < 3
    assert not alive(pid)


async def test_a_process_may_use_its_grace(pods):
    await pods.running("p", "sh", "-c", "trap 'echo bye; exit 0' TERM; echo hi; while :; do sleep 0.02; done")
    await pods.logged("p")
    await pods.delete("p")
    assert pods.log("p").startswith("hi\n")
    assert pods.log("p").endswith("bye\n")


async def test_descendants_in_sessions_of_their_own_end_when_the_pod_is_deleted(pods):
    await pods.running("p", "python", "-c", DETACHED, **stay(100))
    pid = int(await pods.logged("p"))
    assert os.getsid(pid) != pid
    assert alive(pid)
    await pods.delete("p")
    assert not alive(pid)


async def test_descendants_in_sessions_of_their_own_end_with_the_program(pods):
    pod = await pods.run("p", "python", "-c", DETACHED, **stay(0.3))
    assert pod["status"]["phase"] == "Succeeded"
    assert not alive(int(pods.log("p")))


async def test_one_pods_end_leaves_the_descendants_of_another_alone(pods):
    await pods.running("p", "python", "-c", DETACHED, **stay(100))
    pid = int(await pods.logged("p"))
    await pods.run("q", "python", "-c", DETACHED, **stay(0.1))
    assert alive(pid)
    await pods.delete("p")


async def test_a_pod_deleted_while_it_starts_leaves_nothing(pods, python):
    (python.parent / "pyflyte-fast-execute").touch()
    await pods.store.write("mem://c.tar.gz", archive({f"f{number}": "x" for number in range(300)}))
    command = ("pyflyte-fast-execute", "--additional-distribution", "mem://c.tar.gz", "--", "sleep", "100")
    for number in range(30):
        await pods.cluster.create(manifest(f"p{number}", *command))
        await asyncio.sleep(number * 0.001)
        await pods.delete(f"p{number}", grace_seconds=1)
    await pods.no_folder_left()


async def test_a_forced_deletion_ends_the_processes_too(pods):
    await pods.running("p", "sh", "-c", "echo $$; exec sleep 100")
    pid = int(await pods.logged("p"))
    await pods.cluster.delete(POD, NAMESPACE, "p", grace_seconds=0)
    await pods.no_folder_left()
    assert not alive(pid)


async def test_write_protected_folders_are_removed(pods):
    await pods.run("p", "sh", "-c", "mkdir -p a/b; touch a/b/c; chmod 500 a a/b")
    await pods.delete("p")
    await pods.no_folder_left()


async def test_a_pod_over_its_deadline_is_ended_and_says_so(pods):
    pod = await pods.run("p", "sleep", "100", activeDeadlineSeconds=1)
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "DeadlineExceeded")


async def test_a_log_that_is_flooded_is_cut_and_says_so(pods):
    pod = await pods.run("p", "sh", "-c", "echo first; yes | head -c 3000000; echo last")
    assert pod["status"]["phase"] == "Succeeded"
    log = pods.log("p")
    assert len(log) < 200_000
    assert log.startswith("first\n")
    assert log.endswith("last\n")
    assert "bytes of output are left out here" in log


async def test_a_flood_does_not_fill_the_disk_while_it_lasts(pods):
    await pods.running("p", "sh", "-c", "while :; do head -c 100000 /dev/zero; sleep 0.01; done")
    path = pods.cluster.log_file(NAMESPACE, "p", "main")
    sizes = []
    for _ in range(40):
        sizes.append(path.stat().st_size)
        await asyncio.sleep(0.05)
    assert max(sizes) < 15_000_000
    assert sum(later < size for size, later in itertools.pairwise(sizes)) >= 2
    await pods.delete("p")


async def test_a_container_over_its_memory_limit_is_ended_with_its_reason(pods):
    limit = {"resources": {"limits": {"memory": "64Mi"}}}
    eat = "import time; kept = bytearray(b'x') * 150_000_000; time.sleep(100)"
    pod = await pods.run("p", "python", "-c", eat, container=limit)
    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (137, "OOMKilled")
    assert (await pods.run("q", "sleep", "0.8", container=limit))["status"]["phase"] == "Succeeded"


def two(name: str, first: str, second: str, primary: str = "") -> dict[str, object]:
    pod = manifest(name)
    pod["spec"]["containers"] = [
        {"name": "a", "image": "i", "command": ["sh", "-c", first]},
        {"name": "b", "image": "i", "command": ["sh", "-c", second]},
    ]
    pod["spec"]["terminationGracePeriodSeconds"] = 1
    if primary:
        pod["metadata"]["annotations"] = {"primary_container_name": primary}
    return pod


async def test_the_primary_containers_end_decides_and_ends_the_others(pods):
    await pods.cluster.create(two("p", IGNORES_TERM, "sleep 0.2", "b"))
    shown = await pods.shown("p", lambda pod: "terminated" in json.dumps(pod.get("status")))
    assert shown["status"]["phase"] == "Running"
    pod = await pods.ended("p")
    assert pod["status"]["phase"] == "Succeeded"
    assert [exit_code(pod, place) for place in (0, 1)] == [137, 0]
    await pods.cluster.create(two("q", "sleep 100", "exit 4", "b"))
    assert (await pods.ended("q"))["status"]["phase"] == "Failed"


async def test_a_sidecar_that_fails_does_not_decide(pods):
    await pods.cluster.create(two("p", "exit 1", "sleep 0.2", "b"))
    assert (await pods.ended("p"))["status"]["phase"] == "Succeeded"


async def test_without_a_primary_container_all_have_to_end_well(pods):
    await pods.cluster.create(two("p", "exit 0", "sleep 0.2; exit 1"))
    pod = await pods.ended("p")
    assert pod["status"]["phase"] == "Failed"
    assert [exit_code(pod, place) for place in (0, 1)] == [0, 1]


async def test_many_pods_at_once_all_end(pods):
    await asyncio.gather(*(pods.run(f"p{number}", "sh", "-c", f"echo {number}") for number in range(60)))
    assert [pods.log(f"p{number}").strip() for number in range(60)] == [str(number) for number in range(60)]


async def test_requests_that_do_not_fit_into_the_socket_arrive_whole(pods):
    big = {"env": [{"name": "BIG", "value": "x" * 100_000}]}
    done = await asyncio.gather(
        *(pods.run(f"p{number}", "sh", "-c", "echo ${#BIG}", container=big) for number in range(30))
    )
    assert {pod["status"]["phase"] for pod in done} == {"Succeeded"}
    assert {pods.log(f"p{number}") for number in range(30)} == {"100000\n"}


async def test_an_orderly_stop_ends_the_processes_and_says_why(tmp_path, python):
    images = ImageTable((), Environment(python))
    cluster = await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore(), images=images)
    for name in ("p", "q"):
        await cluster.create(manifest(name, "sh", "-c", "echo $$; exec sleep 100"))
    for _ in range(300):
        files = [cluster.log_file(NAMESPACE, name, "main") for name in ("p", "q")]
        if all(file.exists() and file.read_text().endswith("\n") for file in files):
            break
        await asyncio.sleep(0.01)
    pids = [int(file.read_text()) for file in files]
    for number in range(20):  # these are about to be started
        await cluster.create(manifest(f"r{number}", "sleep", "100"))
    await cluster.close()
    assert not any(map(alive, pids))

    again = await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore(), images=images)
    for name in ("p", "q"):
        status = (await again.get(POD, NAMESPACE, name))["status"]
        assert (status["phase"], status["reason"]) == ("Failed", "NodeShutdown")
    await again.close()


async def test_a_pod_that_was_over_before_the_stop_is_not_called_stopped(tmp_path, python):
    images = ImageTable((), Environment(python))
    cluster = await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore(), images=images)
    await cluster.create(manifest("p", "true"))
    while not (await cluster.get(POD, NAMESPACE, "p")).get("status"):
        await asyncio.sleep(0.01)
    await cluster.close()
    again = await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore(), images=images)
    assert (await again.get(POD, NAMESPACE, "p"))["status"]["phase"] == "Succeeded"
    await again.close()


async def test_the_loss_of_a_warm_parent_is_told_as_a_loss_and_the_next_pod_gets_a_new_one(pods):
    await pods.running("p", "sh", "-c", "echo $$; exec sleep 0.5")
    pid = int(await pods.logged("p"))
    with open(f"/proc/{pid}/stat") as file:
        parent = int(file.read().rsplit(")", 1)[1].split()[1])
    os.kill(parent, signal.SIGKILL)
    assert alive(pid)
    pod = await pods.ended("p")
    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (137, "ContainerStatusUnknown")
    assert not alive(pid)
    assert (await pods.run("q", "true"))["status"]["phase"] == "Succeeded"


async def test_descendants_end_though_the_warm_parent_is_gone(pods):
    await pods.running("p", "python", "-c", DETACHED, **stay(1.2))
    pid = int(await pods.logged("p"))
    with open(f"/proc/{pid}/stat") as file:
        leader = int(file.read().rsplit(")", 1)[1].split()[1])
    with open(f"/proc/{leader}/stat") as file:
        os.kill(int(file.read().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    await pods.ended("p")
    await asyncio.sleep(0.05)
    assert not alive(pid)
