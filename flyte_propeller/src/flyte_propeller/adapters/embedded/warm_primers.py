"""Run by a warm parent after its imports: does once what every task would do again at its first use of a library.

Its ``after_fork`` does in each task what libraries did at their import for the warm parent alone.

Like the warm parent itself it runs in any environment: what a library lacks, or has changed, is left out.
"""

from __future__ import annotations

import contextlib
import importlib
import mimetypes
import os
import sys
import tempfile
from typing import Any

NOT_A_KEY = "none"


def prime_botocore() -> None:
    """Read the description of S3 (1 MB of JSON, and a look at 400 folders) before the fork, not after it.

    A description goes to the first session that asks for it, which may change it, as if it had just been read.
    """
    loaders = importlib.import_module("botocore.loaders")
    session = importlib.import_module("botocore.session")
    read, listed = loaders.JSONFileLoader.load_file, loaders.Loader.list_available_services
    files: dict[str, Any] = {}
    services: dict[tuple[Any, ...], list[str]] = {}

    def record(self: Any, file_path: str) -> Any:
        files[file_path] = read(self, file_path)
        return read(self, file_path)

    def load_file(self: Any, file_path: str) -> Any:
        return files.pop(file_path, None) or read(self, file_path)

    def list_available_services(self: Any, type_name: str) -> list[str]:
        key = (type_name, *self.search_paths)
        if key not in services:
            services[key] = listed(self, type_name)
        return list(services[key])

    loaders.Loader.list_available_services = list_available_services
    loaders.JSONFileLoader.load_file = record
    try:
        names = {"aws_access_key_id": NOT_A_KEY, "aws_secret_access_key": NOT_A_KEY, "region_name": "us-east-1"}
        session.Session().create_client("s3", endpoint_url="http://127.0.0.1:1", **names)
    finally:
        loaders.JSONFileLoader.load_file = load_file


def prime_docstrings() -> None:
    """Compile the expressions that read the docstring of a task."""
    importlib.import_module("docstring_parser").parse("A.\n\n:param a: b\n:return: c\n")


def renew_flytekit() -> None:
    """Give the task its own loggers and its own folder for files, as an import in the task would have done."""
    if any(name.startswith("FLYTE_SDK_") for name in os.environ):
        sys.modules["flytekit.loggers"].initialize_global_loggers()
    persistence: Any = sys.modules["flytekit.core.data_persistence"]
    folder = persistence.flyte_tmp_dir = tempfile.mkdtemp(prefix="flyte-")
    persistence.default_local_file_access_provider.__init__(
        local_sandbox_dir=os.path.join(folder, "sandbox"), raw_output_prefix=os.path.join(folder, "raw")
    )


def after_fork() -> None:
    """Renew what belongs to one task. To be called once its environment is set."""
    if "flytekit.core.data_persistence" in sys.modules:
        with contextlib.suppress(Exception):
            renew_flytekit()


def main() -> None:
    """Prime what has been imported."""
    mimetypes.init()
    primers = {"botocore": prime_botocore, "docstring_parser": prime_docstrings}
    for name, primer in primers.items():
        if name in sys.modules:
            with contextlib.suppress(Exception):
                primer()


main()
