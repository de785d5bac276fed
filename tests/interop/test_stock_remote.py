"""Stock FlyteRemote against `flyte up`."""

from __future__ import annotations

import pytest

from flyte_up import Stock

pytestmark = pytest.mark.interop


def test_fetch_execute_wait_and_sync_show_nodes_tasks_and_outputs(stock: Stock, registered: str) -> None:
    answer = stock.remote("""
        workflow = remote.fetch_workflow(name="behaviours.hello", version="v1")
        run = remote.execute(workflow, inputs={"x": 4}, execution_name_prefix="interop")
        done = remote.wait(run, poll_interval=timedelta(seconds=1), sync_nodes=True)
        done = remote.sync_execution(done, sync_nodes=True)
        result["phase"] = done.closure.phase
        result["outputs"] = done.outputs["o0"]
        result["nodes"] = sorted(done.node_executions)
        node = done.node_executions["n0"]
        result["task_phase"] = node.task_executions[0].closure.phase
        result["node_output"] = node.outputs["o0"]
        result["node_input"] = node.inputs["x"]
    """)
    assert answer["phase"] == 4
    assert answer["outputs"] == 13
    assert answer["nodes"] == ["end-node", "n0", "n1", "start-node"]
    assert answer["task_phase"] == 3
    assert answer["node_output"] == 8
    assert answer["node_input"] == 4


def test_every_kind_of_value_passes_between_tasks_and_back(stock: Stock) -> None:
    stock.pyflyte("register", "-p", "flytesnacks", "-d", "development", "--version", "k1", "kinds_of_values.py")
    answer = stock.remote("""
        from datetime import datetime
        from typing import Dict, List, Optional, Union
        import pandas as pd
        import kinds_of_values as kinds
        from flytekit.types.directory import FlyteDirectory
        from flytekit.types.file import FlyteFile

        workflow = remote.fetch_workflow(name="kinds_of_values.everything", version="k1")
        done = remote.wait(remote.execute(workflow, inputs={"n": 4}), poll_interval=timedelta(seconds=1))
        result["error"] = done.error.message if done.error else None
        out = done.outputs
        wanted = [List[int], Dict[str, int], kinds.Point, kinds.Setting, kinds.Colour, Optional[str],
                  Union[int, str], datetime, FlyteFile, FlyteDirectory, pd.DataFrame, int]
        values = [out.get(f"o{i}", as_type=kind) for i, kind in enumerate(wanted)]
        values[1] = dict(sorted(values[1].items()))  # a protobuf map has no order
        result["values"] = [str(value) for value in values[:8]]
        result["file"] = open(values[8].download()).read()
        import os
        result["folder"] = sorted(os.listdir(values[9].download()))
        result["frame"] = values[10].to_dict("list")
        result["rows"] = values[11]
    """)
    assert answer["error"] is None
    assert answer["values"] == [
        "[0, 1, 2, 3]",
        "{'0': 0, '1': 1, '2': 4, '3': 9}",
        "Point(x=14, label='sum')",
        "rate=7.0 tags=['sum']",
        "Colour.BLUE",
        "blue",
        "blue",
        "2024-03-04 12:30:00+00:00",
    ]
    assert str(answer["file"]).startswith("2024-03-04T12:30:00")
    assert answer["folder"] == ["one.txt", "two.txt"]
    assert answer["frame"] == {"name": ["one.txt", "two.txt"], "size": [7, 7]}
    assert answer["rows"] == 2


def execute(stock: Stock, name: str, inputs: str) -> dict[str, object]:
    return stock.remote(f"""
        workflow = remote.fetch_workflow(name="behaviours.{name}", version="v1")
        done = remote.wait(remote.execute(workflow, inputs={inputs}), poll_interval=timedelta(seconds=1))
        done = remote.sync_execution(done, sync_nodes=True)
        result["name"] = done.id.name
        result["phase"] = done.closure.phase
        result["error"] = [done.error.code, done.error.message] if done.error else None
        result["outputs"] = done.outputs.get("o0") if done.closure.phase == 4 and done.outputs else None
        result["nodes"] = {{name: [node.closure.phase, len(node.task_executions or [])]
                           for name, node in done.node_executions.items()}}
    """)


def test_a_recoverable_error_is_tried_again(stock: Stock, registered: str) -> None:
    answer = execute(stock, "recoverable", "{'x': 1}")
    assert (answer["phase"], answer["outputs"]) == (4, 3)
    assert answer["nodes"]["n0"] == [3, 3]  # type: ignore[index]


def test_a_task_that_takes_too_long_fails_with_its_timeout(stock: Stock, registered: str) -> None:
    answer = execute(stock, "too_slow", "{'seconds': 60}")
    assert answer["phase"] in (6, 8)
    assert "timeout" in str(answer["error"]).lower()


def test_a_failure_handler_runs_before_the_workflow_fails(stock: Stock, registered: str) -> None:
    answer = execute(stock, "with_handler", "{'x': 6}")
    assert answer["phase"] == 6
    assert "no good: 6" in str(answer["error"])
    assert answer["nodes"]["fn0"] == [3, 1]  # type: ignore[index]


def test_terminate_ends_a_running_task(stock: Stock, registered: str) -> None:
    answer = stock.remote("""
        import time
        workflow = remote.fetch_workflow(name="behaviours.endless", version="v1")
        run = remote.execute(workflow, inputs={"seconds": 600})
        for _ in range(100):
            run = remote.sync_execution(run, sync_nodes=True)
            node = run.node_executions.get("n0")
            if node is not None and node.closure.phase == 2:
                break
            time.sleep(0.2)
        remote.terminate(run, "enough")
        for _ in range(100):
            run = remote.sync_execution(run, sync_nodes=True)
            if run.is_done:
                break
            time.sleep(0.2)
        result["phase"] = run.closure.phase
        result["cause"] = run.closure.abort_metadata.cause
        result["node"] = run.node_executions["n0"].closure.phase
    """)
    assert answer == {"phase": 7, "cause": "enough", "node": 6}


def test_a_task_knows_its_execution(stock: Stock, registered: str) -> None:
    answer = execute(stock, "identity", "{}")
    assert answer["outputs"] == answer["name"]


def test_a_sub_workflow_is_registered_with_its_parent(stock: Stock, registered: str) -> None:
    answer = stock.remote("""
        workflow = remote.fetch_workflow(name="behaviours.outer", version="v1")
        result["nodes"] = [node.id for node in workflow.flyte_nodes]
        result["inner"] = remote.fetch_workflow(name="behaviours.inner", version="v1").id.name
    """)
    assert answer == {"nodes": ["n0", "n1"], "inner": "behaviours.inner"}


def test_a_sub_workflow_runs(stock: Stock, registered: str) -> None:
    answer = execute(stock, "outer", "{'x': 2}")
    assert (answer["phase"], answer["outputs"]) == (4, 10)


def test_a_conditional_runs_the_case_that_holds(stock: Stock, registered: str) -> None:
    assert execute(stock, "choose", "{'x': 3}")["outputs"] == 6
    assert execute(stock, "choose", "{'x': 7}")["outputs"] == 15
    assert "x is too small" in str(execute(stock, "choose", "{'x': 0}")["error"])
