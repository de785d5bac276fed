"""What a launch plan is made of, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar

if TYPE_CHECKING:
    from flyteidl.admin.common_pb2 import AuthRole, RawOutputDataConfig
    from flyteidl.core.security_pb2 import SecurityContext

    from flyte_kit.core.interface import Interface
    from flyte_kit.core.launch_plan import ConcurrencyPolicy
    from flyte_kit.core.notification import Notification
    from flyte_kit.core.options import Options
    from flyte_kit.core.schedule import LaunchPlanTriggerBase, Schedule

Returned = TypeVar("Returned", covariant=True)


class Launchable(Protocol[Returned]):
    """A workflow: what has a signature and options for its default plan."""

    default_options: Options | None

    @property
    def name(self) -> str:
        """Full name."""
        ...

    @property
    def python_interface(self) -> Interface:
        """Signature in Python's types."""
        ...

    def __call__(self, *args: Any, **kwargs: Any) -> Returned:
        """Call it."""
        ...


class LaunchPlanArguments(TypedDict, total=False):
    """Arguments by name; what each means is said by :meth:`flyte_kit.core.launch_plan.LaunchPlan.create`."""

    default_inputs: dict[str, Any] | None
    fixed_inputs: dict[str, Any] | None
    schedule: Schedule | None
    notifications: list[Notification] | None
    labels: dict[str, str] | None
    annotations: dict[str, str] | None
    raw_output_data_config: RawOutputDataConfig | None
    max_parallelism: int | None
    security_context: SecurityContext | None
    auth_role: AuthRole | None
    trigger: LaunchPlanTriggerBase | None
    overwrite_cache: bool | None
    auto_activate: bool
    concurrency: ConcurrencyPolicy | None
