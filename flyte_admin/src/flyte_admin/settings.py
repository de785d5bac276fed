"""What can be set about the control plane. The names in error messages are those of these fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flyte_admin.executions.execution_config import LaunchSettings
from flyte_admin.notifications.messages import NotificationSettings
from flyte_admin.rest.browser_guard import LOCAL_HOSTS
from flyte_admin.scheduler.scheduler import SchedulerSettings
from flyte_admin.tasks.validation import TaskRules
from flyte_admin.workflows.service import WorkflowRules

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where and how the control plane listens.

    :ivar grpc_address: ``host:port``; port 0 takes any free one
    :ivar http_address: of the REST gateway
    :ivar max_message_bytes: largest request of either; upstream's client takes answers of up to 20 MiB itself
    :ivar allowed_hosts: names by which HTTP clients may call the server, ``*`` for any
    :ivar allowed_origins: foreign web origins that may call
    """

    grpc_address: str = "127.0.0.1:8089"
    http_address: str = "127.0.0.1:8088"
    max_message_bytes: int = 20 * MEBIBYTE
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS
    allowed_origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the rows are.

    :ivar url: ``sqlite:///path`` or ``postgresql://…``
    :ivar readers: reading threads, each with a connection
    :ivar queue_limit: writes that may wait for the writer; one more is answered RESOURCE_EXHAUSTED
    """

    url: str
    readers: int = 4
    queue_limit: int = 10_000


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where in the object store the control plane keeps what it writes (upstream's layout).

    :ivar container: URI of the bucket or folder (``s3://flyte``)
    """

    container: str

    @property
    def entities_prefix(self) -> str:
        """URI under which compiled workflows lie."""
        return f"{self.container.rstrip('/')}/metadata/admin"

    @property
    def executions_prefix(self) -> str:
        """URI under which inputs of executions and offloaded data of events lie."""
        return f"{self.container.rstrip('/')}/metadata"

    @property
    def catalog_prefix(self) -> str:
        """URI under which the literals of cached outputs lie."""
        return f"{self.container.rstrip('/')}/metadata/datacatalog"


@dataclass(frozen=True, slots=True)
class RegistrationSettings:
    """What may be registered."""

    tasks: TaskRules = field(default_factory=TaskRules)
    workflows: WorkflowRules = field(default_factory=WorkflowRules)


def _default_domains() -> Mapping[str, str]:
    return {name: name for name in ("development", "staging", "production")}


@dataclass(frozen=True, slots=True)
class VersionSettings:
    """What GetVersion tells."""

    version: str = "v1.16.8"
    build: str = "flyte-in-python"
    build_time: str = ""


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """Everything.

    :ivar domains: id to display name, in order
    :ivar projects: registered at start where they are missing
    """

    database: DatabaseSettings
    storage: StorageSettings
    server: ServerSettings = field(default_factory=ServerSettings)
    registration: RegistrationSettings = field(default_factory=RegistrationSettings)
    launch: LaunchSettings = field(default_factory=LaunchSettings)
    scheduler: SchedulerSettings = field(default_factory=SchedulerSettings)
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    domains: Mapping[str, str] = field(default_factory=_default_domains)
    projects: tuple[str, ...] = ("flytesnacks",)
    version: VersionSettings = field(default_factory=VersionSettings)
