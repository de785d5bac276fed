"""Writes docs/reference/settings.md from the settings classes."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from generated import main, table
from write_hook_reference import ivars, text

from flyte_admin import settings as admin
from flyte_admin.executions.execution_config import LaunchSettings
from flyte_admin.notifications.messages import NotificationSettings
from flyte_admin.notifications.smtp import SmtpSettings
from flyte_admin.scheduler.scheduler import SchedulerSettings
from flyte_admin.tasks.validation import TaskRules
from flyte_admin.workflows.service import WorkflowRules
from flyte_cli.up.settings import UpSettings
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.copilot_config import CopilotConfig
from flyte_plugin_s3.config import S3Config
from flyte_propeller.settings import PropellerSettings

ADMIN = (
    admin.AdminSettings,
    admin.DatabaseSettings,
    admin.StorageSettings,
    admin.ServerSettings,
    admin.RegistrationSettings,
    TaskRules,
    WorkflowRules,
    LaunchSettings,
    SchedulerSettings,
    NotificationSettings,
    admin.VersionSettings,
)


def section(cls: type) -> str:
    """Return a settings class as a table."""
    notes = ivars(cls)
    rows = [
        (f"`{item.metadata.get('key', item.name)}`", default(item), notes.get(item.name, ""))
        for item in dataclasses.fields(cls)
    ]
    return f"### {cls.__name__}\n\n{text(cls)}\n\n{table(('setting', 'default', 'meaning'), rows)}"


def default(item: dataclasses.Field[Any]) -> str:
    """Return a field's default as code; nothing where it must be given."""
    if item.default is not dataclasses.MISSING:
        return f"`{item.default!r}`"
    if item.default_factory is dataclasses.MISSING:
        return "(required)"
    made = item.default_factory()
    if dataclasses.is_dataclass(made):
        return f"see {type(made).__name__}" if type(made) in ADMIN else f"`{type(made).__name__}()`"
    return f"`{made!r}`" if isinstance(made, dict | tuple) else f"`{type(made).__name__}`"


if __name__ == "__main__":
    parts = {
        "up": f"{section(UpSettings)}\n\n{section(SmtpSettings)}",
        "admin": "\n\n".join(section(cls) for cls in ADMIN),
        "propeller": section(PropellerSettings),
        "pod": f"{section(PodConfig)}\n\n{section(CopilotConfig)}",
        "s3": section(S3Config),
    }
    sys.exit(main("reference/settings.md", parts))
