"""What every part of the client has."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable
from typing import Any

from flyte_kit.configuration.platform import Config
from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager
from flyte_kit.core.data_persistence import FileAccessProvider
from flyte_kit.remote.channel import Caller, open_channel
from flyte_kit.remote.client import Client
from flyte_kit.remote.login.credentials import Credentials


class Connected:
    """A client of a control plane; nothing is sent before the first call.

    :param config: where it is
    :param default_project: of calls that name none; likewise ``default_domain``
    :param data_upload_location: prefix of raw outputs of what is launched from here
    :param credentials: port of logins
    :param interactive_mode_enabled: whether tasks go along as pickles, because they are in no file; without it in a
        notebook
    """

    sleep: Callable[[float], None] = staticmethod(time.sleep)
    """Waits that many seconds."""

    def __init__(
        self,
        config: Config,
        default_project: str | None = None,
        default_domain: str | None = None,
        data_upload_location: str | None = None,
        credentials: Credentials | None = None,
        interactive_mode_enabled: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.config = config
        self.default_project = default_project or config.task.project
        self.default_domain = default_domain or config.task.domain
        self.data_upload_location = data_upload_location
        self._credentials = credentials
        self.interactive_mode_enabled = (
            hasattr(builtins, "__IPYTHON__") if interactive_mode_enabled is None else interactive_mode_enabled
        )
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The services; the channel is opened when they are first asked for."""
        if self._client is None:
            self._client = Client(open_channel(self.config.platform, self._credentials), Caller(self.sleep))
        return self._client

    @property
    def context(self) -> FlyteContext:
        """The context in which values are converted; stores are opened with the keys of the client's own file."""
        return FlyteContextManager.current_context().with_keys_of(self.config.file)

    @property
    def file_access(self) -> FileAccessProvider:
        """Copies between here and stores."""
        return self.context.file_access

    def generate_console_http_domain(self) -> str:
        """Return the address of the console."""
        platform = self.config.platform
        if platform.console_endpoint:
            return platform.console_endpoint
        return f"{'http' if platform.insecure else 'https'}://{platform.endpoint}"

    def generate_console_url(self, entity: Any) -> str:
        """Return the page of an execution, task, workflow or launch plan."""
        identifier = getattr(entity, "id", entity)
        base = (
            f"{self.generate_console_http_domain()}/console/projects/{identifier.project}/domains/{identifier.domain}"
        )
        if not hasattr(identifier, "resource_type"):
            return f"{base}/executions/{identifier.name}"
        kinds = {1: "task", 2: "workflow", 3: "launch_plan"}
        return f"{base}/{kinds.get(identifier.resource_type, 'task')}/{identifier.name}/version/{identifier.version}"

    def close(self) -> None:
        """Close the channel."""
        if self._client is not None:
            self._client.close()
            self._client = None
