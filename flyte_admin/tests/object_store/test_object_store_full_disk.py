"""Uploads to a disk that is full."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROGRAM = """
    import os, sys
    from pathlib import Path
    from botocore.exceptions import ClientError
    from s3_endpoint import serve

    with serve(Path(sys.argv[1])) as endpoint:
        s3 = endpoint.client()
        s3.put_object(Bucket="flyte", Key="k", Body=b"old")
        upload = s3.create_multipart_upload(Bucket="flyte", Key="k")["UploadId"]
        for refused in (
            lambda: s3.put_object(Bucket="flyte", Key="k", Body=bytes(8 << 20)),
            lambda: s3.upload_part(Bucket="flyte", Key="k", UploadId=upload, PartNumber=1, Body=bytes(8 << 20)),
        ):
            try:
                refused()
            except ClientError as error:
                print(error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Message"])
        assert s3.get_object(Bucket="flyte", Key="k")["Body"].read() == b"old"
        s3.put_object(Bucket="flyte", Key="k", Body=b"new")
        assert os.listdir(endpoint.root / "%tmp") == []
        assert "Parts" not in s3.list_parts(Bucket="flyte", Key="k", UploadId=upload)
"""


def test_an_upload_to_a_full_disk_says_so_leaves_nothing_and_the_server_goes_on(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no file system of a small size can be mounted here")
    mount = 'mount -t tmpfs -o size=4m none "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "-Urm", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, textwrap.dedent(PROGRAM)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == 2
    for answer in answers:
        assert answer.startswith("507 no room for /flyte/k in "), answer
