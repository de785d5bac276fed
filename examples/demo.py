"""`make demo`: start `flyte up`, register and run examples/train.py with stock flytekit, load the best model.

Prints a line per node as it moves, then the outputs. Exits 0 only when the execution SUCCEEDED and the model loads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
from flyteidl.admin.common_pb2 import Sort
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import NodeExecutionListRequest
from flyteidl.core.execution_pb2 import NodeExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

HERE = Path(__file__).parent
POLL_SECONDS = 0.2
LIMIT_SECONDS = 180
CLIENT = """
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote
import sys, train
remote = FlyteRemote(Config.auto(), default_project="flytesnacks", default_domain="development")
if sys.argv[1] == "start":
    workflow = remote.fast_register_workflow(train.wine, version="demo")
    print("EXECUTION", remote.execute(workflow, inputs={"test_share": 0.3}).id.name)
else:
    import joblib
    done = remote.sync_execution(remote.fetch_execution(name=sys.argv[2]))
    accuracy = done.outputs.get("metrics", as_type=dict[str, float])
    for name, value in sorted(accuracy.items(), key=lambda item: -item[1]):
        print(f"  {name:<12} accuracy {value:.3f}")
    model = joblib.load(done.outputs.get("model", as_type=train.FlyteFile).download())
    print(f"  best model   {type(model[-1]).__name__}, loads and has {model.n_features_in_} features")
"""


def main() -> int:
    """Run the demo and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, help="keep the data here (a temporary folder otherwise)")
    arguments.add_argument("--port", type=int, default=18089, help="gRPC port; the next two are HTTP and S3")
    given = arguments.parse_args()
    stock = os.environ.get("FLYTE_STOCK_PYTHON", "")
    if not stock:
        print("FLYTE_STOCK_PYTHON names no environment with stock flytekit; run `make demo`", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="flyte-demo-") as folder:
        return demonstrate(given.data or Path(folder) / "data", given.port, stock)


def demonstrate(data: Path, port: int, stock: str) -> int:
    """Start the server, run the workflow, stop the server."""
    command = [sys.executable, "-m", "flyte_cli", "up", "--data", str(data), "--image", f"*={stock}"]
    command += ["--port", str(port), "--http-port", str(port + 1), "--s3-port", str(port + 2)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        for line in server.stdout:
            print(line, end="")
            if "ready" in line:
                break
        else:
            return 1
        return run_workflow(data, port, stock)
    finally:
        server.terminate()
        server.wait(timeout=30)


def run_workflow(data: Path, port: int, stock: str) -> int:
    """Register and launch with stock flytekit, follow with the wire itself, fetch outputs with stock flytekit."""
    started = client(stock, data, "start")
    if started.returncode:
        print(started.stdout, started.stderr, file=sys.stderr)
        return 1
    name = started.stdout.rsplit("EXECUTION ", 1)[1].strip()
    print(f"execution {name} of train.wine")
    phase = follow(port, name)
    print(f"{name} {WorkflowExecution.Phase.Name(phase)}")
    if phase != WorkflowExecution.SUCCEEDED:
        return 1
    ended = client(stock, data, "outputs", name)
    print(ended.stdout, end="")
    if ended.returncode:
        print(ended.stderr, file=sys.stderr)
    return ended.returncode


def client(stock: str, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run CLIENT in the environment with stock flytekit."""
    environment = {
        **os.environ,
        "FLYTECTL_CONFIG": str(data / "config.yaml"),
        "PYTHONPATH": str(HERE),
        "FLYTE_SDK_LOGGING_LEVEL": "40",
    }
    command = [stock, "-c", CLIENT, *arguments]
    return subprocess.run(command, env=environment, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)


def follow(port: int, name: str) -> int:
    """Print each move of each node until the execution ends; return its phase."""
    wanted = WorkflowExecutionIdentifier(project="flytesnacks", domain="development", name=name)
    oldest_first = Sort(key="created_at", direction=Sort.ASCENDING)
    request = NodeExecutionListRequest(workflow_execution_id=wanted, limit=100, sort_by=oldest_first)
    seen: dict[str, int] = {}
    begin = time.monotonic()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        admin = AdminServiceStub(channel)
        while time.monotonic() - begin < LIMIT_SECONDS:
            phase = admin.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=30).closure.phase
            for node in admin.ListNodeExecutions(request, timeout=30).node_executions:
                if seen.get(node.id.node_id) != node.closure.phase:
                    seen[node.id.node_id] = node.closure.phase
                    spent = time.monotonic() - begin
                    print(f"  {spent:6.1f} s  {node.id.node_id:<12} {NodeExecution.Phase.Name(node.closure.phase)}")
            if phase in (WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED):
                return int(phase)
            time.sleep(POLL_SECONDS)
    return int(WorkflowExecution.TIMED_OUT)


if __name__ == "__main__":
    sys.exit(main())
