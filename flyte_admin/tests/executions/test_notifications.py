"""Who is told of the end of an execution, what, and what happens when that does not work."""

from __future__ import annotations

import asyncio
import json
import logging
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin.common_pb2 import EmailNotification, Notification, PagerDutyNotification, SlackNotification
from flyteidl.admin.event_pb2 import WorkflowExecutionEventRequest
from flyteidl.admin.execution_pb2 import ExecutionTerminateRequest, NotificationList
from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.admin.notification_pb2 import EmailMessage
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from sqlalchemy import func, select, update

from flyte_admin.db.schema import launch_plans, notification_outbox
from flyte_admin.notifications.delivery import MOST_ATTEMPTS, NotificationDelivery
from flyte_admin.notifications.files import FileNotifier
from flyte_admin.notifications.messages import NotificationSettings
from flyte_admin.notifications.smtp import SmtpNotifier, SmtpSettings
from flyte_core.errors import ConfigError, InvalidInput
from flyte_core.events import Verdict
from flyte_core.notifications import EndNotice
from flyte_core.testing.fakes import ManualClock, RecordingNotifier

FAILED, SUCCEEDED, ABORTED = WorkflowExecution.FAILED, WorkflowExecution.SUCCEEDED, WorkflowExecution.ABORTED
OF_THE_PLAN = (
    Notification(phases=[FAILED, ABORTED], email=EmailNotification(recipients_email=["ada@x.org", "bob@x.org"])),
    Notification(phases=[SUCCEEDED], slack=SlackNotification(recipients_email=["slack@x.org"])),
    Notification(phases=[FAILED], pager_duty=PagerDutyNotification(recipients_email=["pager@x.org"])),
)


def mail_to(*addresses: str, phases: tuple[int, ...] = (FAILED,), template: str = "") -> Notification:
    return Notification(phases=phases, email=EmailNotification(recipients_email=addresses, template=template))


class Watched:
    """A control plane whose launch plan `single` has notifications."""

    def __init__(self, plane: Any, make_request: Any) -> None:
        self.plane = plane
        self.request = make_request("run")
        self.clock = ManualClock(datetime.now(UTC) + timedelta(hours=1))
        self.notifier = RecordingNotifier()

    async def prepare(self, *notifications: Notification) -> None:
        spec_of = select(launch_plans.c.spec).where(launch_plans.c.name == "golden_wf.single")
        spec = LaunchPlanSpec.FromString(await self.plane.database.read(lambda c: c.execute(spec_of).scalar_one()))
        spec.entity_metadata.notifications.extend(notifications)
        change = update(launch_plans).where(launch_plans.c.name == "golden_wf.single")
        await self.plane.database.write(lambda c: c.execute(change.values(spec=spec.SerializeToString())) and None)

    async def create(self) -> None:
        await self.plane.executions.create(self.request)

    async def report(self, phase: int, error: str = "") -> Verdict:
        request = WorkflowExecutionEventRequest()
        request.event.phase = phase
        request.event.execution_id.CopyFrom(self.id)
        request.event.occurred_at.FromDatetime(datetime.now(UTC))
        if error:
            request.event.error.message = error
        (outcome,) = await self.plane.recorder.record([request])
        return outcome.verdict

    @property
    def id(self) -> WorkflowExecutionIdentifier:
        return WorkflowExecutionIdentifier(project="golden", domain="development", name="run")

    def delivery(self, **settings: str) -> NotificationDelivery:
        return NotificationDelivery(self.plane.database, self.notifier, NotificationSettings(**settings), self.clock)

    async def told(self, **settings: str) -> set[tuple[str, ...]]:
        """Send what is queued; the recipients of each message."""
        await self.delivery(**settings).turn()
        return {tuple(notice.email.recipients_email) for notice in self.notifier.notices}

    async def queued(self) -> int:
        query = select(func.count()).select_from(notification_outbox)
        count: int = await self.plane.database.read(lambda connection: connection.execute(query).scalar_one())
        return count


@pytest.fixture
async def watched(control_plane: Any, make_request: Any) -> Watched:
    watched = Watched(control_plane, make_request)
    await watched.prepare(*OF_THE_PLAN)
    return watched


@pytest.mark.parametrize(
    ("phase", "recipients"),
    [
        (FAILED, {("ada@x.org", "bob@x.org"), ("pager@x.org",)}),
        (SUCCEEDED, {("slack@x.org",)}),
        (ABORTED, {("ada@x.org", "bob@x.org")}),
        (WorkflowExecution.TIMED_OUT, set()),
    ],
    ids=["failed", "succeeded", "aborted", "timed out"],
)
async def test_those_are_told_whose_phase_it_is(watched: Watched, phase: int, recipients: set[tuple[str, ...]]) -> None:
    await watched.create()
    await watched.report(WorkflowExecution.RUNNING)
    assert await watched.told() == set()
    await watched.report(phase)
    assert await watched.told() == recipients
    assert await watched.queued() == 0


async def test_an_end_that_is_reported_twice_is_told_once(watched: Watched) -> None:
    await watched.create()
    assert await watched.report(SUCCEEDED) is Verdict.RECORDED
    assert await watched.report(SUCCEEDED) is Verdict.ALREADY_RECORDED
    await watched.told()
    assert len(watched.notifier.notices) == 1


async def test_an_execution_has_its_own_notifications_in_place_of_the_plans(watched: Watched) -> None:
    watched.request.spec.notifications.CopyFrom(NotificationList(notifications=[mail_to("eve@x.org")]))
    await watched.create()
    await watched.report(FAILED)
    assert await watched.told() == {("eve@x.org",)}


@pytest.mark.parametrize(("disabled", "count"), [(True, 0), (False, 2)])
async def test_notifications_are_disabled_only_by_a_true_value(watched: Watched, disabled: bool, count: int) -> None:
    watched.request.spec.disable_all = disabled
    await watched.create()
    await watched.report(FAILED)
    assert len(await watched.told()) == count


async def test_an_empty_list_leaves_those_of_the_plan(watched: Watched) -> None:
    watched.request.spec.notifications.SetInParent()
    await watched.create()
    await watched.report(SUCCEEDED)
    assert await watched.told() == {("slack@x.org",)}


@pytest.mark.parametrize(
    ("notification", "missing"),
    [
        (mail_to(), "recipients_email"),
        (mail_to("a@x.org", phases=()), "phases"),
        (mail_to("a@x.org", phases=(2,)), "phases"),
    ],
)
async def test_a_notification_that_could_never_be_sent_is_refused(
    watched: Watched, notification: Notification, missing: str
) -> None:
    watched.request.spec.notifications.notifications.append(notification)
    with pytest.raises(InvalidInput, match=rf"spec\.notifications\.notifications\[0\]\.{missing}"):
        await watched.create()


async def test_an_execution_that_is_aborted_before_it_ran_is_told_with_the_cause(watched: Watched) -> None:
    await watched.create()
    await watched.plane.executions.terminate(ExecutionTerminateRequest(id=watched.id, cause="wrong data"))
    while await watched.plane.dispatcher.turn():
        pass
    assert await watched.told() == {("ada@x.org", "bob@x.org")}
    assert "wrong data" in watched.notifier.notices[0].email.body


async def test_an_execution_that_can_never_be_dispatched_is_told(watched: Watched) -> None:
    def refuse(_order: Any, _closure: Any) -> Any:
        raise InvalidInput("no such node")

    watched.plane.manifests.write = refuse
    await watched.create()
    await watched.plane.dispatcher.turn()
    assert await watched.told() == {("ada@x.org", "bob@x.org"), ("pager@x.org",)}
    assert "no such node" in watched.notifier.notices[0].email.body


async def test_messages_are_made_of_templates(control_plane: Any, make_request: Any) -> None:
    watched = Watched(control_plane, make_request)
    await watched.prepare(mail_to("a@x.org"), mail_to("b@x.org", template="{{name}}:{{ error }}|{{ unknown }}"))
    await watched.create()
    await watched.report(FAILED, "no {{ project }}\nhere")
    subject = "{{ workflow.name }} of {{ launch_plan.version }}: {{phase}}{{ error }}"
    await watched.told(subject=subject, body="{{ project }}/{{ domain }}", sender="flyte@x.org")
    standard, own = sorted(
        (notice.email for notice in watched.notifier.notices), key=lambda mail: list(mail.recipients_email)
    )
    assert standard.subject_line == "golden_wf.single of v1: failed Its error: [no {{ project }} here]."
    assert (standard.body, standard.sender_email) == ("golden/development", "flyte@x.org")
    assert own.body == "run: Its error: [no {{ project }}\nhere].|{{ unknown }}"


async def test_what_cannot_be_sent_is_tried_again_and_holds_up_no_other(watched: Watched) -> None:
    watched.notifier = RecordingNotifier(failures=[ConnectionRefusedError("no mail server")])
    await watched.create()
    await watched.report(FAILED)
    delivery = watched.delivery()
    assert await delivery.turn() == 2
    assert len(watched.notifier.notices) == 1
    assert await delivery.turn() == 0, "not at once: that would be a hot loop"
    watched.clock.advance(1)
    assert await delivery.turn() == 1
    assert len(watched.notifier.notices) == 2
    assert await watched.queued() == 0


async def test_a_notification_that_can_never_be_sent_is_given_up_and_that_is_logged(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.notifier = RecordingNotifier(failures=[OSError("no mail server") for _ in range(100)])
    await watched.create()
    await watched.report(SUCCEEDED)
    delivery = watched.delivery()
    began, attempts = watched.clock.now(), 0
    with caplog.at_level(logging.WARNING, "flyte_admin.notifications"):
        while await watched.queued():
            attempts += await delivery.turn()
            watched.clock.advance(60)
    assert attempts == MOST_ATTEMPTS
    assert watched.clock.now() - began < timedelta(hours=8)
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


async def test_a_relay_sends_what_an_earlier_life_left_over_and_wakes_for_more(watched: Watched) -> None:
    await watched.create()
    await watched.report(SUCCEEDED)
    delivery = watched.delivery()
    running = asyncio.create_task(delivery.run())
    async with asyncio.timeout(10):
        while not watched.notifier.notices:
            await asyncio.sleep(0.01)
        watched.request.name = "run2"
        await watched.create()
        event = WorkflowExecutionEventRequest()
        event.event.phase = SUCCEEDED
        event.event.execution_id.CopyFrom(watched.id)
        event.event.execution_id.name = "run2"
        event.event.occurred_at.FromDatetime(datetime.now(UTC))
        await watched.plane.recorder.record([event])
        delivery.wake()
        while len(watched.notifier.notices) < 2:
            await asyncio.sleep(0.01)
    running.cancel()


NOTICE = EndNotice(
    "golden/development/run/FAILED/1",
    WorkflowExecutionIdentifier(project="golden", domain="development", name="run"),
    "FAILED",
    EmailMessage(
        recipients_email=["ada@x.org", "bob@x.org"], sender_email="flyte@x.org", subject_line="wf failed", body="Grüße"
    ),
)


async def test_without_a_mail_server_a_line_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "notifications.jsonl"
    notifier = FileNotifier(path)
    await asyncio.gather(notifier.send(NOTICE), notifier.send(NOTICE))
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == second
    assert (first["recipients"], first["phase"], first["body"]) == (["ada@x.org", "bob@x.org"], "FAILED", "Grüße")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "ada@x.org, bob@x.org" in caplog.text


@asynccontextmanager
async def mail_server(refuse: str = "") -> AsyncIterator[tuple[int, list[bytes]]]:
    """As much of a mail server as takes a message; it knows no encryption."""
    taken: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.strip().upper()
            if refuse and word.startswith(b"RCPT") and refuse.upper().encode() in word:
                writer.write(b"550 nobody\r\n")
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                taken.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                writer.write(b"250 taken\r\n")
            else:
                writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 well\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], taken


async def test_a_mail_server_gets_one_message_for_all_recipients_with_a_stable_id() -> None:
    async with mail_server() as (port, taken):
        notifier = SmtpNotifier(SmtpSettings("127.0.0.1", "flyte@x.org", port=port, security="none"))
        await notifier.send(NOTICE)
        await notifier.send(NOTICE)
    first, second = (message_from_bytes(data, policy=policy.default) for data in taken)
    assert (first["To"], first["From"], first["Subject"]) == ("ada@x.org, bob@x.org", "flyte@x.org", "wf failed")
    assert first.get_content().strip() == "Grüße"
    assert first["Message-ID"] == second["Message-ID"]


async def test_a_message_that_some_recipients_are_refused_is_not_sent_to_the_others_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with mail_server(refuse="bob@") as (port, taken):
        await SmtpNotifier(SmtpSettings("127.0.0.1", "flyte@x.org", port=port, security="none")).send(NOTICE)
    assert len(taken) == 1
    assert "refused recipients" in caplog.text


async def test_nothing_is_sent_openly_to_a_server_without_encryption() -> None:
    async with mail_server() as (port, taken):
        with pytest.raises(smtplib.SMTPNotSupportedError):
            await SmtpNotifier(SmtpSettings("127.0.0.1", "flyte@x.org", port=port)).send(NOTICE)
    assert taken == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SmtpSettings("h", "s", security="ssl"), "mail.security 'ssl': give one of starttls, tls, none"),
        (SmtpSettings("h", "s", user="u", password_env="NOT_SET"), "mail.password_env 'NOT_SET'"),
        (SmtpSettings("h", "s", user="u", password_env="SET", security="none"), "open connection"),
    ],
    ids=["security", "password", "open"],
)
def test_settings_that_cannot_work_are_refused_at_the_start(settings: SmtpSettings, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SmtpNotifier(settings, {"SET": "secret"})
