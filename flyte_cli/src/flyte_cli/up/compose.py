"""Makes the planes and starts them in order: storage, cluster, control plane, data plane. Stops them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from flyte_admin.app import AdminApp, AdminPorts
from flyte_admin.dispatch.manifest import ManifestWriter
from flyte_admin.notifications.files import FileNotifier
from flyte_admin.notifications.messages import NotificationSettings
from flyte_admin.notifications.smtp import SmtpNotifier
from flyte_admin.object_store.app import create_object_store_app
from flyte_admin.rest.browser_guard import LOCAL_HOSTS, BrowserGuard
from flyte_admin.rest.server import HttpServer
from flyte_admin.settings import AdminSettings, DatabaseSettings, ServerSettings, StorageSettings
from flyte_cli.up.console_pages import EXECUTION, console_routes
from flyte_cli.up.data_folder import prepare, write_client_config
from flyte_cli.up.in_process import InProcessAdmin, catalog_calls
from flyte_cli.up.listening import check_free
from flyte_cli.up.log_pages import log_routes
from flyte_cli.up.plugins import open_plugins
from flyte_cli.up.settings import BUCKET, UpSettings
from flyte_core.builtin.file_store import FileStore
from flyte_core.builtin.s3_signing import Credentials, S3Signer
from flyte_core.clock import SystemClock
from flyte_core.errors import ConfigError, FlyteError, Unavailable
from flyte_core.plugins import PluginManager
from flyte_propeller.adapters.catalog_client import CatalogClient
from flyte_propeller.adapters.embedded import EmbeddedCluster
from flyte_propeller.adapters.embedded.environments import ImageTable
from flyte_propeller.host.plugin_host import PluginHost
from flyte_propeller.operator import Propeller
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.round import Ports

LOG = logging.getLogger(__name__)
CONTAINER = f"s3://{BUCKET}"


@asynccontextmanager
async def running(settings: UpSettings, step: Callable[[str], None]) -> AsyncIterator[None]:
    """Run everything while the context is open.

    :param step: called with what is being started
    :raises flyte_core.errors.ConfigError: if a port is taken or the data folder is in use; then nothing was started
    """
    check_free(
        settings.host, {"--port": settings.port, "--http-port": settings.http_port, "--s3-port": settings.s3_port}
    )
    credentials = prepare(settings)
    plugins = open_plugins(settings)
    async with contextlib.AsyncExitStack() as stack:
        store = FileStore(
            settings.objects_dir, CONTAINER, signer=S3Signer(settings.s3_url(), credentials), clock=SystemClock()
        )
        stack.callback(store.close)
        images = ImageTable(tuple((rule.pattern, rule.python) for rule in settings.images))
        step("opening the cluster; tasks that were running are taken over")
        cluster = await EmbeddedCluster.open(
            settings.cluster_dir, store=store, images=images, secrets=settings.secrets_dir
        )
        stack.push_async_callback(cluster.close)
        endpoint = HttpServer(create_object_store_app(store, [credentials]), BrowserGuard(LOCAL_HOSTS, ()))
        await endpoint.start(settings.address(settings.s3_port))
        stack.push_async_callback(endpoint.stop, 1.0)
        step("starting the control plane (after an update it changes its database first)")
        admin = await start_admin(settings, store, cluster, plugins)
        stack.push_async_callback(admin.stop, 1.0)
        stack.push_async_callback(stop, start_propeller(settings, credentials, store, cluster, admin, plugins))
        write_client_config(settings, credentials)
        for python in {rule.python for rule in settings.images} or {ImageTable().default.python}:
            step(f"starting {python} for tasks")
            await cluster.warm(python)
        yield


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.wait([task])


async def start_admin(
    settings: UpSettings, store: FileStore, cluster: EmbeddedCluster, plugins: PluginManager
) -> AdminApp:
    """Start the control plane."""
    admin = AdminSettings(
        database=DatabaseSettings(f"sqlite:///{settings.admin_database}"),
        storage=StorageSettings(CONTAINER),
        server=ServerSettings(grpc_address=settings.grpc_target(), http_address=settings.address(settings.http_port)),
        projects=tuple(settings.projects),
        notifications=notification_settings(settings),
    )
    ports = AdminPorts(
        store=store,
        cluster=cluster,
        build_manifest=ManifestWriter(),
        sinks=plugins.event_sinks(),
        notifier=SmtpNotifier(settings.mail) if settings.mail else FileNotifier(settings.notifications_file),
        http_routes=[*log_routes(cluster.log_file), *console_routes(settings.grpc_target())],
    )
    try:
        return await AdminApp.start(admin, ports)
    except ConfigError:
        raise
    except FlyteError as error:
        raise Unavailable(f"{settings.admin_database} cannot be used: {error}") from error


def notification_settings(settings: UpSettings) -> NotificationSettings:
    """Return what notifications say: the platform's text, and where to look at the execution."""
    defaults = NotificationSettings()
    where = EXECUTION.format(project="{{ project }}", domain="{{ domain }}", name="{{ name }}")
    sender = settings.mail.sender if settings.mail else defaults.sender
    return replace(defaults, sender=sender, body=f"{defaults.body}\n\n{settings.http_url()}{where}\n")


def start_propeller(
    settings: UpSettings,
    credentials: Credentials,
    store: FileStore,
    cluster: EmbeddedCluster,
    admin: AdminApp,
    plugins: PluginManager,
) -> asyncio.Task[None]:
    """Start the data plane, and return its task."""
    propeller = PropellerSettings(
        metadata_prefix=f"{CONTAINER}/metadata/propeller",
        raw_output_prefix=f"{CONTAINER}/data",
        task_env=task_environment(settings, credentials),
    )
    host = PluginHost(plugins, cluster, store, output_limit=propeller.output_limit)
    clock, control_plane = SystemClock(), InProcessAdmin(admin)
    catalog = CatalogClient(catalog_calls(admin), clock)
    ports = Ports(cluster, store, control_plane, host, clock, propeller, catalog=catalog, past=control_plane)
    plane = Propeller(ports, host.of_type)
    admin.signals.listeners.append(plane.signal_set)
    task = asyncio.create_task(plane.run(), name="propeller")
    task.add_done_callback(_log_end)
    return task


def task_environment(settings: UpSettings, credentials: Credentials) -> tuple[tuple[str, str], ...]:
    """Return what tasks need to reach the object store and, for eager tasks, the control plane."""
    return (
        ("FLYTE_AWS_ACCESS_KEY_ID", credentials.access_key),
        ("FLYTE_AWS_SECRET_ACCESS_KEY", credentials.secret_key),
        ("FLYTE_AWS_ENDPOINT", settings.s3_url()),
        # A task outlives a server that dies: it waits for the next one, instead of failing with its first upload.
        ("AWS_RETRY_MODE", "standard"),
        ("AWS_MAX_ATTEMPTS", "12"),
        ("FLYTE_PLATFORM_URL", settings.grpc_target()),
        ("FLYTE_PLATFORM_INSECURE", "true"),
    )


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        LOG.error("the data plane has ended", exc_info=error)
