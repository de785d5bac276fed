"""What warm parents prepare must not be seen by tasks but in the time that they take."""

from __future__ import annotations

import json
import subprocess
import sys

from flyte_propeller.adapters.embedded.warm import PRIMERS

PROGRAM = """
import json, runpy, sys
import botocore.loaders, botocore.session
plain = botocore.session.Session().get_service_model("s3")
services = botocore.session.Session().get_available_services()
kept = runpy.run_path(sys.argv[1])
reads = []
inner = botocore.loaders.json.loads
botocore.loaders.json.loads = lambda *a, **k: (reads.append(a), inner(*a, **k))[1]
sessions = [botocore.session.Session() for _ in range(2)]
models = []
counts = []
for session in sessions:
    before = len(reads)
    session.create_client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    counts.append(len(reads) - before)
    models.append(session.get_component("data_loader").load_service_model("s3", "service-2"))
print(json.dumps({
    "counts": counts,
    "same": models[0] is models[1],
    "equal": models[0] == models[1],
    "operations": sorted(models[0]["operations"]) == sorted(plain.operation_names),
    "services": [s.get_available_services() == services for s in sessions],
}))
"""


def test_the_first_session_finds_s3_described_and_later_ones_read_it_for_themselves():
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(PRIMERS)], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    first, second = answer.pop("counts")
    assert first == 0
    assert second > 0
    assert answer == {"same": False, "equal": True, "operations": True, "services": [True, True]}
