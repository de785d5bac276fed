"""Notifiers for where there is no mail server: a file with one message a line, and the log."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path

from flyte_core.notifications import EndNotice

_log = logging.getLogger(__name__)


class LogNotifier:
    """Writes messages to the log."""

    async def send(self, notice: EndNotice) -> None:
        """Log recipients, subject and body."""
        mail = notice.email
        _log.warning("for %s (no mail server is set): %s\n%s", _names(notice), mail.subject_line, mail.body)


class FileNotifier:
    """Appends messages to a file, one JSON object a line, and says so in the log.

    :param path: the file; made with mode 0600
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, notice: EndNotice) -> None:
        """Append the message; it is on the disk when this returns."""
        mail, execution = notice.email, notice.execution
        line = {
            "id": notice.id,
            "project": execution.project,
            "domain": execution.domain,
            "name": execution.name,
            "phase": notice.phase,
            "recipients": list(mail.recipients_email),
            "sender": mail.sender_email,
            "subject": mail.subject_line,
            "body": mail.body,
        }
        await asyncio.to_thread(self._append, json.dumps(line) + "\n")
        _log.warning("for %s (no mail server is set, see %s): %s", _names(notice), self._path, mail.subject_line)

    def _append(self, text: str) -> None:
        with os.fdopen(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "a") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _names(notice: EndNotice) -> str:
    return ", ".join(notice.email.recipients_email)
