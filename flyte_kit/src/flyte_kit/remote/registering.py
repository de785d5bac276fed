"""Registering what this program defines."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanState, LaunchPlanUpdateRequest
from flyteidl.admin.task_pb2 import TaskCreateRequest, TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest
from flyteidl.core.identifier_pb2 import Identifier

from flyte_kit.configuration.images import ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.core.notebook_tasks import PICKLE_NAME, pickled
from flyte_kit.core.options import Options
from flyte_kit.core.tracker import extract_task_module
from flyte_kit.core.workflow import WorkflowBase
from flyte_kit.exceptions.user import FlyteEntityAlreadyExistsException
from flyte_kit.registration.sources import CopyFileDetection, project_root
from flyte_kit.registration.tarball import Tarball, pack, pack_file
from flyte_kit.registration.versions import version_of, with_code
from flyte_kit.remote.entities import FlyteLaunchPlan, FlyteTask, FlyteWorkflow
from flyte_kit.remote.fetching import Fetching
from flyte_kit.remote.uploads import upload, upload_file
from flyte_kit.serialization.entities import Serializer
from flyte_kit.serialization.registrable import Registrable, identifier_of

PARALLEL_CREATES = 8
DEFAULT_DESTINATION = "."


class Registering(Fetching):
    """Upload code, register entities, switch launch plans."""

    def upload_file(
        self, to_upload: Path, project: str | None = None, domain: str | None = None, filename_root: str | None = None
    ) -> tuple[bytes, str]:
        """Store a local file; return its md5 and URI."""
        return upload_file(
            self.client,
            Path(to_upload),
            project=project or self.default_project,
            domain=domain or self.default_domain,
            root=filename_root or "",
        )

    def upload_code(self, code: Tarball, project: str | None = None, domain: str | None = None) -> str:
        """Store packed code; return its URI."""
        project, domain = project or self.default_project, domain or self.default_domain
        return upload(self.client, code.content, project=project, domain=domain, name=code.name)[1]

    def fast_package(
        self, root: Path, deref_symlinks: bool = True, copy: CopyFileDetection = CopyFileDetection.ALL
    ) -> tuple[str, str]:
        """Pack and store the code of a folder; return its md5 and URI."""
        code = pack(Path(root), copy, deref_symlinks=deref_symlinks)
        return code.digest, self.upload_code(code)

    def raw_register(self, message: Registrable, *, activate: bool = False) -> Identifier:
        """Register one message; one that is there already, the same, is no error.

        :param activate: a launch plan, once it is registered
        """
        self.put(message)
        if activate and isinstance(message, LaunchPlanMessage):
            self.activate_launchplan(message.id)
        return identifier_of(message)

    def put(self, message: Registrable) -> bool:
        """Register one message; return whether it is new. The same content under the same id may be there already.

        :raises FlyteInvalidInputException: if there is other content under its id
        """
        admin, identifier = self.client.admin, identifier_of(message)
        if isinstance(message, TaskSpec):
            method, request = admin.CreateTask, TaskCreateRequest(id=identifier, spec=message)
        elif isinstance(message, LaunchPlanMessage):
            method, request = admin.CreateLaunchPlan, LaunchPlanCreateRequest(id=identifier, spec=message.spec)
        else:
            method, request = admin.CreateWorkflow, WorkflowCreateRequest(id=identifier, spec=message)
        try:
            self.client.call(method, request)
        except FlyteEntityAlreadyExistsException:
            return False
        return True

    def register_messages(
        self,
        messages: Iterable[Registrable],
        activate: Iterable[str] = (),
        on_done: Callable[[Registrable, bool], None] | None = None,
    ) -> list[Identifier]:
        """Register messages in order; tasks go at the same time, ahead of the rest.

        :param activate: names of launch plans that are activated
        :param on_done: is called with each message, and whether it is new
        """
        known, wanted = list(messages), set(activate)
        tasks = [message for message in known if isinstance(message, TaskSpec)]
        rest = [message for message in known if not isinstance(message, TaskSpec)]
        tell = on_done or (lambda _message, _is_new: None)
        with ThreadPoolExecutor(PARALLEL_CREATES) as pool:
            for task, is_new in zip(tasks, pool.map(self.put, tasks), strict=True):
                tell(task, is_new)
        for message in rest:
            tell(message, self.put(message))
            if isinstance(message, LaunchPlanMessage) and message.id.name in wanted:
                self.activate_launchplan(message.id)
        return [identifier_of(message) for message in (*tasks, *rest)]

    def _settings(self, given: SerializationSettings | None, version: str | None) -> SerializationSettings:
        settings = given or SerializationSettings(ImageConfig.auto())
        return dataclasses.replace(
            settings,
            project=settings.project or self.default_project,
            domain=settings.domain or self.default_domain,
            version=version or settings.version,
        )

    def register_entity(
        self, entity: Any, settings: SerializationSettings, options: Options | None = None
    ) -> Identifier:
        """Register an entity with all that it calls, under complete settings; of a workflow its default plan too."""
        serializer = Serializer(settings, options)
        message = serializer.add(entity)
        plans = [entity] if isinstance(entity, LaunchPlan) else []
        if isinstance(entity, WorkflowBase):
            default = LaunchPlan.get_default_launch_plan(FlyteContextManager.current_context(), entity)
            serializer.add(default)
        messages = [each for each in serializer.known.values() if isinstance(each, Registrable)]
        self.register_messages(messages, [plan.name for plan in plans if plan.should_auto_activate])
        return identifier_of(message)

    def register_task(
        self,
        entity: Any,
        serialization_settings: SerializationSettings | None = None,
        version: str | None = None,
    ) -> FlyteTask:
        """Register a task.

        :param version: that of the settings, or one made of the code, without it
        """
        settings = self.with_code(entity, self._settings(serialization_settings, version))
        return FlyteTask(self.client.get_task(self.register_entity(entity, settings, None)))

    def register_workflow(
        self,
        entity: WorkflowBase,
        serialization_settings: SerializationSettings | None = None,
        version: str | None = None,
        options: Options | None = None,
        fast: bool = False,
    ) -> FlyteWorkflow:
        """Register a workflow with all that it calls, and its default launch plan.

        :param fast: whether the code goes with it
        """
        settings = self._settings(serialization_settings, version)
        if fast or settings.version is None:
            settings = self.with_code(entity, settings)
        return FlyteWorkflow(self.client.get_workflow(self.register_entity(entity, settings, options)))

    def fast_register_workflow(
        self,
        entity: WorkflowBase,
        serialization_settings: SerializationSettings | None = None,
        version: str | None = None,
        options: Options | None = None,
    ) -> FlyteWorkflow:
        """Register a workflow with its code."""
        return self.register_workflow(entity, serialization_settings, version, options, fast=True)

    def register_launch_plan(
        self,
        entity: LaunchPlan,
        version: str | None = None,
        project: str | None = None,
        domain: str | None = None,
        options: Options | None = None,
        serialization_settings: SerializationSettings | None = None,
    ) -> FlyteLaunchPlan:
        """Register a launch plan with its workflow."""
        settings = self._settings(serialization_settings, version)
        settings = dataclasses.replace(settings, project=project or settings.project, domain=domain or settings.domain)
        if settings.version is None:
            settings = self.with_code(entity.workflow, settings)
        return FlyteLaunchPlan(self.client.get_launch_plan(self.register_entity(entity, settings, options)))

    def register_script(  # noqa: PLR0913 - the arguments of flytekit's method
        self,
        entity: Any,
        image_config: ImageConfig | None = None,
        version: str | None = None,
        project: str | None = None,
        domain: str | None = None,
        destination_dir: str = DEFAULT_DESTINATION,
        copy_all: bool = False,
        options: Options | None = None,
        envs: dict[str, str] | None = None,
        source_path: Path | None = None,
    ) -> Any:
        """Register a task, workflow or launch plan with the code of the modules that are loaded.

        :param copy_all: whether all files of the folder go with it
        """
        settings = SerializationSettings(
            image_config or ImageConfig.auto(),
            project=project or self.default_project,
            domain=domain or self.default_domain,
            version=version,
            env=envs,
        )
        copy = CopyFileDetection.ALL if copy_all else CopyFileDetection.LOADED_MODULES
        settings = self.with_code(entity, settings, source_path, copy, destination_dir)
        identifier = self.register_entity(entity, settings, options)
        found = self.client.get(identifier)
        kinds: dict[int, Any] = {1: FlyteTask, 2: FlyteWorkflow, 3: FlyteLaunchPlan}
        return kinds[identifier.resource_type](found)

    def with_code(
        self,
        entity: Any,
        settings: SerializationSettings,
        root: Path | None = None,
        copy: CopyFileDetection = CopyFileDetection.LOADED_MODULES,
        destination: str = DEFAULT_DESTINATION,
        *,
        deref_symlinks: bool = False,
    ) -> SerializationSettings:
        """Return settings whose tasks fetch this program's code, with a version made of it if there is none.

        :param entity: tells the folder of the code where ``root`` does not
        """
        if settings.should_fast_serialize():
            return settings
        if self.interactive_mode_enabled and root is None:
            content, digest = pickled(entity)
            code = pack_file(PICKLE_NAME, content, digest)
            return with_code(settings, code, self.upload_code(code, settings.project, settings.domain), destination)
        folder = root or _root_of(entity)
        if folder is None or copy is CopyFileDetection.NO_COPY:
            return settings if settings.version else dataclasses.replace(settings, version=version_of("", settings))
        code = pack(folder, copy, deref_symlinks=deref_symlinks)
        location = self.upload_code(code, settings.project, settings.domain)
        return with_code(dataclasses.replace(settings, source_root=str(folder)), code, location, destination)

    def activate_launchplan(self, ident: Identifier) -> None:
        """Make a version the active one; another that was is not any more."""
        self._switch(ident, LaunchPlanState.ACTIVE)

    def deactivate_launchplan(self, ident: Identifier) -> None:
        """Make a version inactive."""
        self._switch(ident, LaunchPlanState.INACTIVE)

    def _switch(self, ident: Identifier, state: int) -> None:
        self.client.call(self.client.admin.UpdateLaunchPlan, LaunchPlanUpdateRequest(id=ident, state=state))


def _root_of(entity: Any) -> Path | None:
    """Return the folder that an entity's code is in; of a workflow made by calls, that of its first task with code."""
    workflow = getattr(entity, "workflow", entity)
    function = getattr(workflow, "function", None) or getattr(workflow, "task_function", None)
    if function is not None:
        file = extract_task_module(function)[3]
        return project_root(Path(file)) if file else None
    if isinstance(workflow, WorkflowBase):
        called = (_root_of(node.flyte_entity) for node in workflow.nodes)
        return next((root for root in called if root is not None), None)
    return None
