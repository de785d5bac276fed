"""The client as a whole."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from flyteidl.core.literals_pb2 import Literal, LiteralMap

from flyte_kit.configuration.images import ImageConfig
from flyte_kit.configuration.platform import Config
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager
from flyte_kit.core.workflow import WorkflowFailurePolicy
from flyte_kit.exceptions.user import FlyteValueException
from flyte_kit.remote.backfill import backfill_workflow
from flyte_kit.remote.executions import FlyteWorkflowExecution
from flyte_kit.remote.signals import Signals
from flyte_kit.remote.values import LiteralsResolver


class FlyteRemote(Signals):
    """A control plane from Python: fetch, register, execute, wait. Make one with the constructor or :meth:`auto`."""

    @classmethod
    def auto(
        cls,
        config_file: str | None = None,
        default_project: str | None = None,
        default_domain: str | None = None,
        data_upload_location: str | None = None,
        **kwargs: Any,
    ) -> FlyteRemote:
        """Return a client for what the configuration file and the environment say."""
        config = Config.auto(config_file)
        return cls(config, default_project, default_domain, data_upload_location, **kwargs)

    @classmethod
    def for_endpoint(
        cls,
        endpoint: str,
        insecure: bool = False,
        default_project: str | None = None,
        default_domain: str | None = None,
        **kwargs: Any,
    ) -> FlyteRemote:
        """Return a client for an address."""
        return cls(Config.for_endpoint(endpoint, insecure), default_project, default_domain, **kwargs)

    @classmethod
    def for_sandbox(cls, default_project: str | None = None, default_domain: str | None = None) -> FlyteRemote:
        """Return a client for a sandbox on this machine."""
        return cls(Config.for_sandbox(), default_project, default_domain)

    @contextlib.contextmanager
    def remote_context(self) -> Iterator[FlyteContext]:
        """Enter a block in which calls know this client."""
        ctx = FlyteContextManager.current_context().with_client(self.client)
        with FlyteContextManager.with_context(ctx) as inner:
            yield inner

    def download(self, data: Any, download_to: str, recursive: bool = True) -> None:
        """Copy files, folders and tables that literals refer to into a local folder; other values are left out."""
        literals = data.literals if isinstance(data, LiteralsResolver) else data
        if isinstance(data, FlyteWorkflowExecution):
            literals = data.outputs.literals
        target = Path(download_to)
        target.mkdir(parents=True, exist_ok=True)
        if isinstance(literals, Literal):
            self._download(literals, target)
        elif isinstance(literals, LiteralMap):
            for name, literal in literals.literals.items():
                self._download(literal, _below(target, name))

    def _download(self, literal: Literal, target: Path) -> None:
        match literal.WhichOneof("value"):
            case "collection":
                for index, each in enumerate(literal.collection.literals):
                    self._download(each, target / str(index))
            case "map":
                for key, each in literal.map.literals.items():
                    self._download(each, _below(target, key))
            case "scalar":
                self._download_scalar(literal, target)

    def _download_scalar(self, literal: Literal, target: Path) -> None:
        scalar = literal.scalar
        match scalar.WhichOneof("value"):
            case "blob":
                many = bool(scalar.blob.metadata.type.dimensionality)
                place = target if many else target / Path(scalar.blob.uri).name
                self.file_access.get_data(scalar.blob.uri, str(place), is_multipart=many)
            case "structured_dataset":
                self.file_access.get_data(scalar.structured_dataset.uri, str(target), is_multipart=True)
            case "union":
                self._download(scalar.union.value, target)

    def launch_backfill(  # noqa: PLR0913 - the arguments of flytekit's method
        self,
        project: str | None,
        domain: str | None,
        from_date: datetime,
        to_date: datetime,
        launchplan: str,
        launchplan_version: str | None = None,
        execution_name: str | None = None,
        version: str | None = None,
        dry_run: bool = False,
        execute: bool = True,
        parallel: bool = False,
        overwrite_cache: bool | None = None,
        failure_policy: Any = None,
    ) -> Any:
        """Run a scheduled launch plan for the times of the past.

        :param dry_run: return the workflow only
        :param execute: whether the workflow is started once it is registered
        """
        plan = self.fetch_launch_plan(project, domain, launchplan, launchplan_version)
        workflow, first, last = backfill_workflow(from_date, to_date, plan, parallel, failure_policy=failure_policy)
        if dry_run:
            return workflow
        if version is None:
            goes_on = failure_policy == WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
            kind = f"{parallel}{'on' if goes_on else ''}"
            text = f"{launchplan}{plan.version}{first.isoformat()}{last.isoformat()}{kind}"
            version = base64.urlsafe_b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()
        settings = SerializationSettings(
            ImageConfig.auto(),
            project=project or self.default_project,
            domain=domain or self.default_domain,
            version=version.rstrip("="),
        )
        registered = self.register_workflow(workflow, settings)
        if not execute:
            return registered
        return self.execute(
            registered,
            inputs={},
            project=project,
            domain=domain,
            execution_name=execution_name,
            overwrite_cache=overwrite_cache,
        )


def _below(folder: Path, name: str) -> Path:
    """Return the place of a value in a folder; names are keys that a task chose.

    :raises FlyteValueException: if the name leads out of the folder
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise FlyteValueException(name, "It names a value to download, and cannot be the name of a file")
    return folder / name
