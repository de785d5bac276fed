"""Executions by the client of the control plane and by the command."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from concurrent import futures
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from flyteidl.admin.version_pb2 import GetVersionResponse
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.service.admin_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server

from flyte_kit import Labels, Options
from flyte_kit.configuration import Config
from flyte_kit.models.common import RawOutputDataConfig
from flyte_kit.remote import FlyteRemote


@pytest.fixture
def flows(program: Callable[[str], Any]) -> Any:
    return program("rows_of_workflows")


@pytest.fixture
def failed(flows: Any, up: Any) -> Any:
    """An execution of which one node has succeeded and the next has failed."""
    return up.run(program_that_fails_once(up), inputs={"path": f"/tmp/rows-{uuid.uuid4().hex}"})


def program_that_fails_once(up: Any) -> Any:
    return up.program("rows_of_recovery").second_fails_once


def test_093_the_newest_version_is_fetched_or_the_one_that_is_named(flows: Any, up: Any) -> None:
    for version in ("old-1", "new-2"):
        up.remote.register_script(flows.pair, version=version)
    assert up.remote.fetch_workflow(name="rows_of_workflows.pair").version == "new-2"
    assert up.remote.fetch_workflow(name="rows_of_workflows.pair", version="old-1").version == "old-1"
    assert up.remote.fetch_launch_plan(name="rows_of_workflows.pair").version == "new-2"
    assert up.remote.fetch_task(name="rows_of_workflows.measure", version="old-1").version == "old-1"


def test_094_what_is_started_is_waited_for_and_its_outputs_are_values(flows: Any, up: Any) -> None:
    for entity in (flows.pair, up.remote.fetch_launch_plan(name=up.remote.register_script(flows.pair).id.name)):
        execution = up.remote.execute(entity, inputs={"x": 4}, wait=True)
        assert (execution.outputs["o0"], execution.outputs["o1"]) == (4, "size 4")
        assert execution.inputs.get("x") == 4


def test_095_nodes_inside_of_nodes_are_looked_at_with_their_values(flows: Any, up: Any) -> None:
    execution = up.run(flows.outer, inputs={"x": 3})
    parent = execution.node_executions["n1"]
    child = parent.node_executions["n1-0-n0"]
    assert child.inputs.get_literal("x").scalar.primitive.integer == 6
    assert child.outputs.get_literal("o0").scalar.primitive.integer == 12
    assert [attempt.phase for attempt in child.task_executions] == ["SUCCEEDED"]


def test_096_an_execution_is_ended_with_a_cause_that_others_see(up: Any) -> None:
    execution = up.remote.execute(up.program("rows_of_task_kinds").slow, inputs={"x": 1})
    up.remote.terminate(execution, "no longer needed")
    ended = up.remote.wait(execution, timeout=30)
    assert ended.phase == "ABORTED"
    assert ended.closure.abort_metadata.cause == "no longer needed"


class Broken(AdminServiceServicer):
    def GetVersion(self, request: Any, context: Any) -> GetVersionResponse:
        raise ValueError("the boiler is cold")


def test_098_a_fault_of_the_server_is_told_with_its_words_and_once() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_AdminServiceServicer_to_server(Broken(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = FlyteRemote(Config.for_endpoint(f"127.0.0.1:{port}", insecure=True), "p", "d")
    with pytest.raises(Exception, match="the boiler is cold"):
        client.get_version()
    client.close()
    server.stop(None)


def test_098_b_our_server_never_answers_unknown(up: Any) -> None:
    """What no server can read is refused as the caller's fault."""
    call = up.remote.client.channel.unary_unary("/flyteidl.service.AdminService/GetExecution")
    with pytest.raises(grpc.RpcError) as refused:
        call(b"\xff\xff\xff not a message", timeout=10)
    assert refused.value.code() is not grpc.StatusCode.UNKNOWN


def test_099_a_first_command_needs_no_more_than_the_file_that_the_server_wrote(up: Any) -> None:
    assert up.flyte("get", "projects", "-o", "name")
    endpoint = f"127.0.0.1:{up.server.ports[0]}"
    bare = FlyteRemote(Config.for_endpoint(endpoint, insecure=True), "flytesnacks", "development")
    assert bare.list_projects()
    bare.close()


def test_101_one_version_of_a_launch_plan_is_active(flows: Any, up: Any) -> None:
    plans = [up.remote.register_script(flows.plan, version=version) for version in ("active-1", "active-2")]
    for plan in plans:
        up.remote.activate_launchplan(plan.id)
    assert up.remote.fetch_active_launchplan(name="rows.fixed_plan").version == "active-2"
    up.flyte("launchplan", "rows.fixed_plan", "active-1", "--activate")
    assert up.remote.fetch_active_launchplan(name="rows.fixed_plan").version == "active-1"
    up.flyte("launchplan", "rows.fixed_plan", "active-1", "--deactivate")
    assert up.remote.fetch_active_launchplan(name="rows.fixed_plan") is None


def test_102_an_execution_a_is_started_again_with_its_inputs(failed: Any, up: Any) -> None:
    assert failed.phase == "FAILED"
    again = up.remote.wait(up.remote.relaunch(failed), timeout=30)
    assert again.is_successful, again.error
    assert again.spec.metadata.reference_execution.name == failed.name or again.inputs is not None


def test_102_an_execution_b_is_recovered_without_running_again_what_has_succeeded(failed: Any, up: Any) -> None:
    recovered = up.remote.wait(up.remote.recover(failed), timeout=30)
    assert recovered.is_successful, recovered.error
    assert recovered.outputs.get("o0") == 1  # the first node has run once
    assert recovered.node_executions["n0"].phase == "RECOVERED"


def test_105_a_backfill_b_runs_the_plan_for_each_time_that_has_passed(up: Any) -> None:
    execution = _backfill(up, execute=True)
    ended = up.remote.wait(execution, timeout=60)
    assert ended.is_successful, ended.error


def _backfill(up: Any, **options: Any) -> Any:
    plans = up.program("rows_of_plans")
    up.remote.register_script(plans.every_day, version="backfilled-1")
    start = datetime(2024, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=3)
    return up.remote.launch_backfill(
        "flytesnacks", "development", start, end, "rows.every_day", "backfilled-1", **options
    )


def test_105_a_backfill_a_is_a_chain_with_the_times_as_inputs(up: Any) -> None:
    registered = _backfill(up, execute=False)
    template = registered.message.closure.compiled_workflow.primary.template
    steps = [node for node in template.nodes if node.HasField("workflow_node")]
    times = [node.inputs[0].binding.scalar.primitive.datetime.ToDatetime(UTC) for node in steps]
    assert times == [datetime(2024, 1, day, 4, 30, tzinfo=UTC) for day in (1, 2, 3)]
    assert [[*node.upstream_node_ids] for node in steps[1:]] == [[steps[0].id], [steps[1].id]]
    said = up.flyte(
        *("backfill", "rows.every_day", "backfilled-1", "--dry-run"),
        *("--from-date", "2024-01-01", "--backfill-window", "3d"),
    )
    assert "2024-01-03" in said


def test_106_what_is_asked_of_an_execution_is_kept_with_it(flows: Any, up: Any) -> None:
    up.remote.register_script(flows.chain, version="asked-1")
    name = f"asked-{uuid.uuid4().hex[:8]}"
    up.flyte(
        *("execute", "--name", name, "--overwrite-cache", "--env", "A=1", "--tag", "blue", "--labels", "team=rows"),
        *("--raw-output-data-prefix", "s3://flyte/rows", "--service-account", "runner", "--max-parallelism", "7"),
        *("--interruptible", "true", "launch-plan", "rows_of_workflows.chain:asked-1", "--x", "3"),
    )
    spec = up.remote.fetch_execution(name=name).spec
    assert spec.overwrite_cache
    assert [(pair.key, pair.value) for pair in spec.envs.values] == [("A", "1")]
    assert [*spec.tags] == ["blue"]
    assert spec.labels.values["team"] == "rows"
    assert spec.raw_output_data_config.output_location_prefix == "s3://flyte/rows"
    assert spec.security_context.run_as.k8s_service_account == "runner"
    assert (spec.max_parallelism, spec.interruptible.value) == (7, True)
    options = Options(
        labels=Labels({"a": "b"}),
        raw_output_data_config=RawOutputDataConfig(output_location_prefix="s3://flyte/by-client"),
    )
    by_client = up.remote.execute(flows.chain, inputs={"x": 1}, options=options, overwrite_cache=True).spec
    assert by_client.raw_output_data_config.output_location_prefix == "s3://flyte/by-client"


def test_107_a_name_that_was_used_is_the_execution_that_has_it(flows: Any, up: Any) -> None:
    first, second = (up.run(flows.chain, inputs={"x": x}, execution_name="used-once") for x in (1, 5))
    assert second.outputs.get("o0") == first.outputs.get("o0") == 4
    assert first.id == second.id


def test_108_where_an_execution_may_run_is_kept_with_it(flows: Any, up: Any) -> None:
    execution = up.remote.execute(
        flows.chain, inputs={"x": 1}, cluster_pool="gpus", execution_cluster_label="of-the-team"
    )
    spec = up.remote.fetch_execution(name=execution.name).spec
    assert spec.cluster_assignment.cluster_pool_name == "gpus"
    assert spec.execution_cluster_label.value == "of-the-team"


def test_109_values_and_decks_have_addresses_of_their_own(up: Any, flows: Any, tmp_path: Any) -> None:
    execution = up.run(up.program("rows_of_task_kinds").with_deck, inputs={"x": 7})
    [node] = [name for name, each in execution.node_executions.items() if each.task_executions]
    base = f"flyte://v1/flytesnacks/development/{execution.name}/{node}"
    assert up.remote.get(f"{base}/0/o/o0").scalar.primitive.integer == 7
    assert up.remote.get(f"{base}/i").literals["x"].scalar.primitive.integer == 7
    assert up.remote.get(f"{base}/d").signed_url
    assert '"o0": 7' in up.flyte("fetch", "-o", "json", execution.name)
    up.flyte("fetch", execution.name, str(tmp_path / "fetched"))
    assert [path for path in (tmp_path / "fetched").rglob("*") if path.suffix == ".html"]


def test_111_recent_executions_and_the_tasks_of_a_version_are_listed(flows: Any, up: Any) -> None:
    up.remote.register_script(flows.outer, version="listed-1")
    assert {task.name for task in up.remote.list_tasks_by_version("listed-1")} == {"rows_of_workflows.double"}
    started = up.run(flows.chain, inputs={"x": 1})
    assert started.name in [each.name for each in up.remote.recent_executions(limit=20)]
    failed = up.remote.recent_executions(filters="eq(phase,FAILED)", limit=3)
    assert {each.closure.phase for each in failed} <= {WorkflowExecution.FAILED}


def test_117_the_time_of_an_execution_is_told_span_by_span(flows: Any, up: Any) -> None:
    execution = up.run(flows.chain, inputs={"x": 1})
    span = up.remote.get_execution_metrics(execution).span
    assert span.workflow_id.name == execution.name
    assert {each.node_id.node_id for each in span.spans if each.HasField("node_id")} >= {"n0", "n1"}
    assert "n1" in up.flyte("metrics", "explain", execution.name)
    assert up.flyte("metrics", "dump", execution.name)


def test_118_active_launch_plans_are_listed(flows: Any, up: Any) -> None:
    plan = up.remote.register_script(flows.plan, version="listed-active-1")
    up.remote.activate_launchplan(plan.id)
    rows = json.loads(up.flyte("get", "launchplan", "--active-only", "-o", "json"))
    shown = json.dumps(rows)
    assert "listed-active-1" in shown
    assert "rows_of_workflows.chain" not in shown
    up.remote.deactivate_launchplan(plan.id)


def test_120_the_version_of_the_server_is_shown(up: Any) -> None:
    version = up.remote.get_version().Version
    assert version.startswith("v1.16")
    assert version in up.flyte("info")


def test_115_a_workflow_of_three_thousand_nodes_is_registered_and_fetched(up: Any) -> None:
    made = up.program("rows_of_size").very_long()
    registered = up.remote.register_workflow(made, version="large-1")
    assert registered.message.ByteSize() > 1024 * 1024
    assert len(registered.message.closure.compiled_workflow.primary.template.nodes) >= 3000
    names = [each.name for each in up.remote.client.list_names(2, "flytesnacks", "development", limit=1000)]
    assert "rows.very_long" in names
    assert len(set(names)) == len(names)
