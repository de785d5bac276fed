"""What s3fs does, which is what stock flytekit reads and writes through, in the environment of stock flytekit."""

from __future__ import annotations

import os
import subprocess
import textwrap

import pytest

from s3_endpoint import CREDENTIALS, Endpoint

pytestmark = pytest.mark.interop

PROGRAM = """
    import os, sys, tempfile
    import s3fs

    url, key, secret = sys.argv[1:4]
    fs = s3fs.S3FileSystem(key=key, secret=secret, endpoint_url=url, default_block_size=5 << 20)
    b = "flyte"
    big = os.urandom(12 << 20)

    for name in ["a.txt", "with space/ü b=1+2&3.txt", "A====/x#y?z", "emoji/😀"]:
        fs.pipe(f"{b}/{name}", name.encode())
        assert fs.cat(f"{b}/{name}") == name.encode(), name
        assert fs.info(f"{b}/{name}")["size"] == len(name.encode())
    assert sorted(fs.ls(b)) == ["flyte/A====", "flyte/a.txt", "flyte/emoji", "flyte/with space"], fs.ls(b)
    assert fs.ls(f"{b}/with space", detail=False) == ["flyte/with space/ü b=1+2&3.txt"]
    assert len(fs.find(b)) == 4
    assert fs.isdir(f"{b}/emoji") and fs.isfile(f"{b}/a.txt") and not fs.exists(f"{b}/none")
    assert fs.glob(f"{b}/*.txt") == ["flyte/a.txt"]

    with fs.open(f"{b}/big", "wb") as file:  # three parts
        file.write(big)
    with fs.open(f"{b}/big", "rb") as file:
        file.seek(7_000_000)
        assert file.read(1000) == big[7_000_000:7_001_000]
        file.seek(-5, 2)
        assert file.read() == big[-5:]
    assert fs.cat_file(f"{b}/big", start=100, end=200) == big[100:200]
    fs.cp(f"{b}/big", f"{b}/copy")
    fs.mv(f"{b}/copy", f"second/moved")
    assert not fs.exists(f"{b}/copy")
    assert fs.cat("second/moved") == big

    fs.touch(f"{b}/empty")
    assert fs.cat(f"{b}/empty") == b""
    with fs.open(f"{b}/empty2", "wb"):
        pass
    assert fs.info(f"{b}/empty2")["size"] == 0
    with fs.open(f"{b}/a.txt", "ab") as file:
        file.write(b" more")
    assert fs.cat(f"{b}/a.txt") == b"a.txt more"

    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/in/deep")
        for name in ["1.html", "deep/2.bin", "deep/3 ü.csv"]:
            with open(f"{folder}/in/{name}", "wb") as file:
                file.write(big if name.endswith("bin") else name.encode())
        open(f"{folder}/in/nothing", "w").close()
        fs.put(f"{folder}/in", f"{b}/tree", recursive=True)
        fs.get(f"{b}/tree", f"{folder}/out", recursive=True)
        for name in ["1.html", "deep/2.bin", "deep/3 ü.csv", "nothing"]:
            with open(f"{folder}/in/{name}", "rb") as one, open(f"{folder}/out/{name}", "rb") as two:
                assert one.read() == two.read(), name
    fs.setxattr(f"{b}/tree/1.html", owner="me")
    assert fs.metadata(f"{b}/tree/1.html") == {"owner": "me"}
    import requests
    assert "signature version 4" in requests.get(fs.sign(f"{b}/tree/1.html")).text  # s3fs signs with version 2
    newer = s3fs.S3FileSystem(key=key, secret=secret, endpoint_url=url, config_kwargs={"signature_version": "s3v4"})
    assert requests.get(newer.sign(f"{b}/tree/1.html")).text == "1.html"

    for number in range(30):
        fs.pipe(f"{b}/many/{number:02}", b"x")
    assert len(fs.ls(f"{b}/many")) == 30
    fs.rm(f"{b}/many", recursive=True)
    assert not fs.exists(f"{b}/many")
    fs.rm(f"{b}/tree/1.html")
    fs.invalidate_cache()
    assert not fs.exists(f"{b}/tree/1.html")
    fs.makedirs(f"{b}/new/folder", exist_ok=True)

    wrong = s3fs.S3FileSystem(key=key, secret="wrong", endpoint_url=url)
    try:
        wrong.cat(f"{b}/a.txt")
    except PermissionError:
        pass
    else:
        sys.exit("a wrong secret was taken")
    print("all of it")
"""


@pytest.fixture(scope="session")
def stock_python() -> str:
    python = os.environ.get("FLYTE_STOCK_PYTHON")
    if not python:
        pytest.skip("FLYTE_STOCK_PYTHON names no environment with stock flytekit: run `nox -s interop`")
    return python


def test_s3fs_reads_writes_lists_copies_moves_and_removes(endpoint: Endpoint, stock_python: str) -> None:
    command = [stock_python, "-c", textwrap.dedent(PROGRAM), endpoint.url]
    command += [CREDENTIALS.access_key, CREDENTIALS.secret_key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "all of it", done.stderr
    assert os.listdir(endpoint.root / "%uploads") == []
    assert os.listdir(endpoint.root / "%tmp") == []
