"""Everything of a registration as files, for other tools to register: one message per file."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.task_pb2 import TaskSpec

from flyte_kit.registration.tarball import Tarball
from flyte_kit.serialization.registrable import Registrable

PLACEHOLDERS = ("{{ registration.project }}", "{{ registration.domain }}", "{{ registration.version }}")
"""Project, domain and version of entities whose registration decides them."""


def message_name(message: Registrable) -> str:
    """Return the name of an entity."""
    return str(message.id.name if isinstance(message, LaunchPlanMessage) else message.template.id.name)


def files_of(messages: Iterable[Registrable]) -> dict[str, bytes]:
    """Return the messages by file name: ``NN_<name>_1.pb`` for tasks, ``_2`` for workflows, ``_3`` for launch plans."""
    known = list(messages)
    width = len(str(max(len(known) - 1, 0)))
    result = {}
    for number, message in enumerate(known):
        kind = 1 if isinstance(message, TaskSpec) else 3 if isinstance(message, LaunchPlanMessage) else 2
        name = f"{number:0{width}}_{message_name(message)}_{kind}.pb"
        result[name] = message.SerializeToString(deterministic=True)
    return result


def write_archive(path: Path, messages: Iterable[Registrable], code: Tarball | None = None) -> None:
    """Write messages, and the code that they fetch, into a ``.tgz``; the same input gives the same bytes."""
    content = files_of(messages)
    if code is not None:
        content[code.name] = code.content
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(content):
            info = tarfile.TarInfo(name)
            info.size = len(content[name])
            tar.addfile(info, io.BytesIO(content[name]))
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
