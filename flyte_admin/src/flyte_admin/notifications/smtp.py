"""Sends messages through a mail server."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from flyte_core.errors import ConfigError
from flyte_core.notifications import EndNotice

SECURITY = ("starttls", "tls", "none")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A mail server.

    :ivar host: its name
    :ivar sender: address from which messages come
    :ivar security: ``starttls``, ``tls`` (from the start, usually port 465) or ``none``
    :ivar user: empty for no login
    :ivar password_env: environment variable of the server that holds the user's password
    :ivar timeout: seconds that each step of a connection may take
    """

    host: str
    sender: str
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password_env: str = ""
    timeout: float = 20.0


class SmtpNotifier:
    """Sends each message over a connection of its own. Certificates are checked against those that the system trusts.

    :param environment: where the password is
    :raises ConfigError: if the way of securing the connection is none of :data:`SECURITY`, the variable is not set, or
        a password would go over an open connection
    """

    def __init__(self, settings: SmtpSettings, environment: Mapping[str, str] = os.environ) -> None:
        if settings.security not in SECURITY:
            raise ConfigError(f"mail.security {settings.security!r}: give one of {', '.join(SECURITY)}")
        if settings.user and settings.password_env not in environment:
            raise ConfigError(
                f"mail.password_env {settings.password_env!r}: no such environment variable; set it to the password of "
                f"{settings.user}"
            )
        if settings.user and settings.security == "none":
            raise ConfigError("mail.security none: a password is not sent over an open connection; use starttls or tls")
        self._settings = settings
        self._password = environment.get(settings.password_env, "")

    async def send(self, notice: EndNotice) -> None:
        """Send the message to all its recipients at once.

        :raises smtplib.SMTPException: if the server does not take it for any of them
        :raises OSError: if the server cannot be reached
        """
        mail = _mail(notice)
        refused = await asyncio.to_thread(self._deliver, mail)
        if refused:
            _log.error(
                "a mail server refused recipients of a notification",
                extra={"notification": notice.id, "refused": ", ".join(refused)},
            )

    def _deliver(self, mail: EmailMessage) -> Mapping[str, tuple[int, bytes]]:
        settings = self._settings
        with self._connect() as server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                server.login(settings.user, self._password)
            return server.send_message(mail)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout, context=context)
        return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)


def _mail(notice: EndNotice) -> EmailMessage:
    """Return the message with an id by which a mail program knows a second copy."""
    mail = EmailMessage()
    mail["From"] = notice.email.sender_email
    mail["To"] = ", ".join(notice.email.recipients_email)
    mail["Subject"] = notice.email.subject_line
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{hashlib.sha256(notice.id.encode()).hexdigest()[:32]}@flyte>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(notice.email.body)
    return mail
