"""Everything of a registration as files, for other tools to register, and back: one message per file."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from flyte_core.errors import InvalidInput
from flyte_kit.registration.tarball import Tarball
from flyte_kit.serialization.registrable import Registrable, identifier_of

PLACEHOLDERS = ("{{ registration.project }}", "{{ registration.domain }}", "{{ registration.version }}")
"""Project, domain and version of entities whose registration decides them."""
REMOTE_CODE, DESTINATION = "{{ .remote_package_path }}", "{{ .dest_dir }}"
"""What stands for the URI of the code and its folder; whoever registers fills it in."""
_KINDS: Mapping[str, type[Registrable]] = {"1": TaskSpec, "2": WorkflowSpec, "3": LaunchPlanMessage}


def files_of(messages: Iterable[Registrable]) -> dict[str, bytes]:
    """Return the messages by file name: ``NN_<name>_1.pb`` for tasks, ``_2`` for workflows, ``_3`` for launch plans."""
    known = list(messages)
    width = len(str(max(len(known) - 1, 0)))
    result = {}
    for number, message in enumerate(known):
        kind = 1 if isinstance(message, TaskSpec) else 3 if isinstance(message, LaunchPlanMessage) else 2
        name = f"{number:0{width}}_{identifier_of(message).name}_{kind}.pb"
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


def read_archive(path: Path) -> tuple[list[Registrable], dict[str, bytes]]:
    """Return the messages of a ``.tgz``, in order, and the other files by name: the code.

    :raises InvalidInput: if it is none, or holds a message that cannot be read
    """
    messages, others = [], {}
    try:
        with tarfile.open(path) as tar:
            members = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.isfile()}
            content = {name.rsplit("/", 1)[-1]: file.read() for name, file in members.items() if file is not None}
    except (OSError, tarfile.TarError) as error:
        raise InvalidInput(f"{path} is no archive of a package: {error}") from error
    for name in sorted(content, key=_order):
        kind = _KINDS.get(name.removesuffix(".pb")[-1:]) if name.endswith(".pb") else None
        if kind is None:
            others[name] = content[name]
            continue
        try:
            messages.append(kind.FromString(content[name]))
        except DecodeError as error:
            raise InvalidInput(f"{path}: {name} cannot be read: {error}") from error
    if not messages:
        raise InvalidInput(f"{path} holds nothing to register: `flyte package` makes such an archive")
    return messages, others


def _order(name: str) -> tuple[int, str]:
    number = name.split("_", 1)[0]
    return (int(number) if number.isdigit() else len(name), name)


def fill(message: Message, values: Mapping[str, str]) -> None:
    """Replace placeholders in every text of a message.

    :param values: by placeholder
    """
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            _fill_texts(message, field, value, values)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            _fill_messages(field, value, values)


def _fill_texts(message: Message, field: FieldDescriptor, value: Any, values: Mapping[str, str]) -> None:
    if isinstance(value, str):
        setattr(message, field.name, _filled(value, values))
    else:
        value[:] = [_filled(each, values) for each in value]


def _fill_messages(field: FieldDescriptor, value: Any, values: Mapping[str, str]) -> None:
    if isinstance(value, Message):
        fill(value, values)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        for key in value:
            if isinstance(value[key], Message):
                fill(value[key], values)
            elif isinstance(value[key], str):
                value[key] = _filled(value[key], values)
    else:
        for each in value:
            fill(each, values)


def _filled(text: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text
