"""The composition root of the control plane: everything is made here, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.routing import BaseRoute

from flyte_admin.catalog.service import DataCatalog
from flyte_admin.data_proxy.service import DataProxyPorts, DataProxyService, DataProxySettings
from flyte_admin.db import Database
from flyte_admin.db.migrate import migrate
from flyte_admin.descriptions.service import DescriptionService
from flyte_admin.dispatch.manifest import ManifestWriter
from flyte_admin.dispatch.relay import BuildManifest, Dispatcher
from flyte_admin.executions.alarm import Alarm
from flyte_admin.executions.data import DataReader
from flyte_admin.executions.event_delivery import EventDelivery
from flyte_admin.executions.events import EventRecorder
from flyte_admin.executions.metrics import MetricsReader
from flyte_admin.executions.node_service import NodeExecutionService
from flyte_admin.executions.offload import Offloader
from flyte_admin.executions.project_defaults import StoredProjects
from flyte_admin.executions.reading import ExecutionReader
from flyte_admin.executions.service import ExecutionPorts, ExecutionService
from flyte_admin.executions.sources import CheckProject, LaunchSources
from flyte_admin.executions.task_service import TaskExecutionService
from flyte_admin.launch_plans.service import LaunchPlanService
from flyte_admin.launch_plans.single_task import SingleTasks
from flyte_admin.named_entities.service import NamedEntityService
from flyte_admin.notifications.delivery import NotificationDelivery
from flyte_admin.notifications.files import LogNotifier
from flyte_admin.projects.service import ProjectService
from flyte_admin.registry.admission import Domains
from flyte_admin.rest.browser_guard import BrowserGuard
from flyte_admin.rest.gateway import Gateway
from flyte_admin.rest.routes import Routes
from flyte_admin.rest.server import HttpServer
from flyte_admin.rpc.server import GrpcServer
from flyte_admin.rpc.tables import ExecutionServices, RegistryServices, all_services
from flyte_admin.scheduler.scheduler import Scheduler
from flyte_admin.settings import AdminSettings
from flyte_admin.signals.service import SignalService
from flyte_admin.tasks.service import TaskService
from flyte_admin.workflows.closures import ClosureStore
from flyte_admin.workflows.service import WorkflowService
from flyte_core.clock import Clock, SystemClock
from flyte_core.cluster import Cluster
from flyte_core.events import EventSink
from flyte_core.notifications import Notifier
from flyte_core.storage import BlobStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AdminPorts:
    """What the control plane needs of the world.

    :ivar build_manifest: writes the FlyteWorkflow of an execution
    :ivar sinks: receivers of recorded events
    :ivar notifier: tells people of ended executions
    :ivar http_routes: further routes of the HTTP server (the console)
    """

    store: BlobStore
    cluster: Cluster
    build_manifest: BuildManifest = field(default_factory=ManifestWriter)
    clock: Clock = field(default_factory=SystemClock)
    sinks: Sequence[EventSink] = ()
    notifier: Notifier = field(default_factory=LogNotifier)
    http_routes: Sequence[BaseRoute] = ()


class AdminApp:
    """A running control plane.

    :ivar grpc_address: ``host:port`` with the port that was bound
    :ivar http_address: the same of the REST gateway
    :ivar events: records events without a wire, for a data plane in this process; ``executions``, ``reader`` and
        ``signals`` are for the same
    :ivar nodes: reads nodes of executions, for the same
    :ivar catalog: the data catalog, for the same
    """

    def __init__(self, settings: AdminSettings, ports: AdminPorts, database: Database) -> None:
        self.grpc_address = ""
        self.http_address = ""
        self._settings = settings
        self._database = database
        closures = ClosureStore(ports.store, settings.storage.entities_prefix)
        self._dispatcher = Dispatcher(database, ports.cluster, closures, ports.build_manifest, ports.clock)
        self._delivery = EventDelivery(database, ports.sinks, ports.clock)
        self._notifications = NotificationDelivery(database, ports.notifier, settings.notifications, ports.clock)
        self._relays: list[asyncio.Task[None]] = []
        offloader = Offloader(ports.store, settings.storage.executions_prefix)
        sinks = [sink.name for sink in ports.sinks]
        self.events = EventRecorder(
            database,
            offloader,
            ports.clock,
            sinks=sinks,
            wake_delivery=self._delivery.wake,
            wake_notifications=self._notifications.wake,
        )
        schedules_changed = Alarm(ports.clock)
        registry = _registry(settings, ports, database, closures, schedules_changed)
        self._projects = registry.projects
        self.launch_plans = registry.launch_plans
        self.signals = SignalService(database, ports.clock)
        check_project = StoredProjects(database, Domains(settings.domains)).check
        executions = self._executions(settings, ports, registry, check_project)
        self._scheduler = Scheduler(
            database, executions.executions.create, ports.clock, schedules_changed, settings.scheduler
        )
        self.nodes = executions.nodes
        self.executions, self.reader = executions.executions, executions.reader
        proxy = DataProxyService(
            DataProxyPorts(ports.store, check_project, executions.nodes, executions.tasks),
            DataProxySettings(settings.storage.container),
        )
        self.catalog = DataCatalog(database, ports.store, settings.storage.catalog_prefix, ports.clock)
        services = all_services(
            registry,
            executions,
            data_proxy=proxy.methods(),
            signals={
                "GetOrCreateSignal": self.signals.get_or_create,
                "ListSignals": self.signals.list,
                "SetSignal": self.signals.set,
            },
            catalog=self.catalog.methods(),
        )
        server = settings.server
        self._grpc = GrpcServer(services, max_message_bytes=server.max_message_bytes)
        routes = Routes(method for methods in services.values() for method in methods.values())
        gateway = Gateway(routes, max_body_bytes=server.max_message_bytes)
        guard = BrowserGuard(server.allowed_hosts, server.allowed_origins)
        self._http = HttpServer(gateway, guard, routes=ports.http_routes)

    @classmethod
    async def start(cls, settings: AdminSettings, ports: AdminPorts) -> AdminApp:
        """Start everything in the running event loop and return when it serves.

        :raises ConfigError: if an address is taken, or the database is newer than this program
        :raises Unavailable: if the database does not answer
        """
        database = Database(
            settings.database.url, readers=settings.database.readers, queue_limit=settings.database.queue_limit
        )
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(database.close)
            await migrate(database)
            app = cls(settings, ports, database)
            await app._projects.seed(settings.projects)
            app.grpc_address = await app._grpc.start(settings.server.grpc_address)
            undo.push_async_callback(app._grpc.stop, 0)
            app.http_address = await app._http.start(settings.server.http_address)
            app._start_relays()
            undo.pop_all()
        return app

    async def stop(self, grace: float = 5.0) -> None:
        """Take no new calls, let those under way end within ``grace`` seconds, and close the database."""
        await asyncio.gather(self._grpc.stop(grace), self._http.stop(grace))
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        await self._database.close()

    def _start_relays(self) -> None:
        for name, run in (
            ("dispatch", self._dispatcher.run),
            ("deliver-events", self._delivery.run),
            ("schedules", self._scheduler.run),
            ("send-notifications", self._notifications.run),
        ):
            relay = asyncio.create_task(run(), name=name)
            relay.add_done_callback(_log_end)
            self._relays.append(relay)

    def _executions(
        self, settings: AdminSettings, ports: AdminPorts, registry: RegistryServices, check_project: CheckProject
    ) -> ExecutionServices:
        data = DataReader(ports.store)
        single_tasks = SingleTasks(self._database, registry.workflows, registry.launch_plans)
        execution_ports = ExecutionPorts(
            database=self._database,
            store=ports.store,
            sources=LaunchSources(self._database, single_tasks.launch_plan),
            check_project=check_project,
            clock=ports.clock,
            metadata_prefix=settings.storage.executions_prefix,
            wake_dispatcher=self._dispatcher.wake,
            accepting=self._dispatcher.pace.accepting,
        )
        return ExecutionServices(
            executions=ExecutionService(execution_ports, settings.launch, data),
            reader=ExecutionReader(self._database, data),
            nodes=NodeExecutionService(self._database, data),
            tasks=TaskExecutionService(self._database, data),
            events=self.events,
            metrics=MetricsReader(self._database),
        )


def _log_end(relay: asyncio.Task[None]) -> None:
    if not relay.cancelled() and (error := relay.exception()) is not None:
        _log.error("a relay of the control plane ended", extra={"relay": relay.get_name()}, exc_info=error)


def _registry(
    settings: AdminSettings, ports: AdminPorts, database: Database, closures: ClosureStore, schedules_changed: Alarm
) -> RegistryServices:
    domains = Domains(settings.domains)
    rules = settings.registration
    return RegistryServices(
        projects=ProjectService(database, domains),
        tasks=TaskService(database, domains, rules.tasks, ports.clock),
        workflows=WorkflowService(database, domains, closures, rules.workflows, ports.clock),
        launch_plans=LaunchPlanService(database, domains, ports.clock, wake_scheduler=schedules_changed.ring),
        named_entities=NamedEntityService(database),
        descriptions=DescriptionService(database),
        version=settings.version,
    )
