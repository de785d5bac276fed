"""`make demo`: start `flyte up`, run examples/train.py on it with the live tree, load the best model.

Exits 0 only when the execution SUCCEEDED and the model loads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

HERE = Path(__file__).parent
LIMIT_SECONDS = 300
STOP_SECONDS = 30
LOAD = """
import sys
import joblib
import train
from flyte_kit import FlyteRemote

remote = FlyteRemote.auto()
outputs = remote.sync_execution(remote.fetch_execution(name=sys.argv[1])).outputs
for name, accuracy in sorted(outputs.get("metrics", as_type=dict[str, float]).items(), key=lambda item: -item[1]):
    print(f"  {name:<12} accuracy {accuracy:.3f}")
model = joblib.load(outputs.get("model", as_type=train.FlyteFile).download())
print(f"  best model   {type(model[-1]).__name__}, loads and has {model.n_features_in_} features")
"""


def main() -> int:
    """Run the demo and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, help="keep the data here (a temporary folder otherwise)")
    arguments.add_argument("--port", type=int, default=18089, help="gRPC port; the next two are HTTP and S3")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="flyte-demo-") as folder:
        return demonstrate(given.data or Path(folder) / "data", given.port)


def demonstrate(data: Path, port: int) -> int:
    """Start the server, run the workflow, stop the server."""
    command = [sys.executable, "-m", "flyte_cli", "up", "--data", str(data)]
    command += ["--port", str(port), "--http-port", str(port + 1), "--s3-port", str(port + 2)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        for line in server.stdout:
            print(line, end="", flush=True)
            if "ready" in line:
                return run_workflow(data)
        return 1
    finally:
        server.terminate()
        server.wait(timeout=STOP_SECONDS)


def run_workflow(data: Path) -> int:
    """Run the workflow as a user does, then load the model that it made."""
    name = f"demo-{uuid.uuid4().hex[:8]}"
    here = {**os.environ, "FLYTECTL_CONFIG": str(data / "config.yaml"), "PYTHONPATH": str(HERE)}
    flyte = [sys.executable, "-m", "flyte_cli", "run", "--remote", "--follow", "--name", name, "train.py", "wine"]
    print("$ flyte run --remote --follow train.py wine --test_share 0.3", flush=True)
    run = subprocess.run([*flyte, "--test_share", "0.3"], cwd=HERE, env=here, timeout=LIMIT_SECONDS, check=False)
    if run.returncode:
        return run.returncode
    return subprocess.run([sys.executable, "-c", LOAD, name], env=here, timeout=LIMIT_SECONDS, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
