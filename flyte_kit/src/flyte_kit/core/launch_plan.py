"""Launch plans: ways to start a workflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from flyteidl.admin.common_pb2 import AuthRole, RawOutputDataConfig
from flyteidl.admin.launch_plan_pb2 import ConcurrencyLimitBehavior as ConcurrencyLimitBehaviorMessage
from flyteidl.admin.launch_plan_pb2 import ConcurrencyPolicy as ConcurrencyPolicyMessage
from flyteidl.core.interface_pb2 import ParameterMap, TypedInterface
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.security_pb2 import Identity, SecurityContext
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.core.calls import create_and_link_node, translate_inputs_to_literals
from flyte_kit.core.context_manager import ExecutionMode, FlyteContext, FlyteContextManager, FlyteEntities
from flyte_kit.core.interface import Interface, transform_inputs_to_parameters
from flyte_kit.core.notification import Notification
from flyte_kit.core.reference_entity import LaunchPlanReference, ReferenceEntity, reference_by_signature
from flyte_kit.core.schedule import LaunchPlanTriggerBase, Schedule
from flyte_kit.core.type_variables import P, R

if TYPE_CHECKING:
    from typing import Unpack

    from flyte_kit.core.launch_plan_arguments import Launchable, LaunchPlanArguments

W = TypeVar("W")
_COMPARED = (
    "schedule",
    "notifications",
    "saved_inputs",
    "labels",
    "annotations",
    "raw_output_data_config",
    "max_parallelism",
    "security_context",
    "overwrite_cache",
    "auto_activate",
    "concurrency",
)


class ConcurrencyLimitBehavior(Enum):
    """What happens to a run above the limit."""

    SKIP = ConcurrencyLimitBehaviorMessage.CONCURRENCY_LIMIT_BEHAVIOR_SKIP


@dataclass(frozen=True)
class ConcurrencyPolicy:
    """How many runs of a plan there may be at the same time.

    :ivar behavior: what happens to a run above that
    """

    max_concurrency: int
    behavior: ConcurrencyLimitBehavior | int = ConcurrencyLimitBehavior.SKIP

    def message(self) -> ConcurrencyPolicyMessage:
        """Return the policy as the wire has it."""
        behavior = self.behavior.value if isinstance(self.behavior, ConcurrencyLimitBehavior) else self.behavior
        return ConcurrencyPolicyMessage(max=self.max_concurrency, behavior=behavior)


class LaunchPlan(Generic[R]):
    """A way to start a workflow; make one with :meth:`create` or :meth:`get_or_create`.

    :ivar parameters: inputs that are required or have a default
    :ivar fixed_inputs: that nobody can change
    """

    CACHE: ClassVar[dict[str, LaunchPlan]] = {}

    def __init__(  # noqa: PLR0913 - the fields of a launch plan
        self,
        name: str,
        workflow: Any,
        parameters: ParameterMap,
        fixed_inputs: LiteralMap,
        schedule: Schedule | None = None,
        notifications: list[Notification] | None = None,
        labels: dict[str, str] | None = None,
        annotations: dict[str, str] | None = None,
        raw_output_data_config: RawOutputDataConfig | None = None,
        max_parallelism: int | None = None,
        security_context: SecurityContext | None = None,
        trigger: LaunchPlanTriggerBase | None = None,
        overwrite_cache: bool | None = None,
        auto_activate: bool = False,
        concurrency: ConcurrencyPolicy | None = None,
    ) -> None:
        self._name = name
        self.workflow = workflow
        self.parameters = ParameterMap()
        for key in parameters.parameters:
            if key not in fixed_inputs.literals:
                self.parameters.parameters[key].CopyFrom(parameters.parameters[key])
        self.fixed_inputs = fixed_inputs
        self.saved_inputs: dict[str, Any] = {}
        self.schedule = schedule
        self.notifications = notifications or []
        self.labels = labels
        self.annotations = annotations
        self.raw_output_data_config = raw_output_data_config
        self.max_parallelism = max_parallelism
        self.security_context = security_context
        self.trigger = trigger
        self.overwrite_cache = overwrite_cache
        self.auto_activate = auto_activate
        self.concurrency = concurrency
        FlyteEntities.entities.append(self)

    @classmethod
    def get_default_launch_plan(cls, ctx: FlyteContext, workflow: Launchable[W]) -> LaunchPlan[W]:
        """Return the plan that every workflow has: its name, its defaults, nothing else."""
        if workflow.name in LaunchPlan.CACHE:
            return LaunchPlan.CACHE[workflow.name]
        interface: Interface = workflow.python_interface
        options = workflow.default_options
        plan: LaunchPlan[W] = LaunchPlan(
            name=workflow.name,
            workflow=workflow,
            parameters=transform_inputs_to_parameters(ctx, interface),
            fixed_inputs=LiteralMap(),
            labels=options.labels if options else None,
            annotations=options.annotations if options else None,
        )
        plan.saved_inputs = {name: default for name, (_, default) in interface.inputs_with_defaults.items()}
        LaunchPlan.CACHE[workflow.name] = plan
        return plan

    @classmethod
    def create(  # noqa: PLR0913 - the arguments of flytekit's method
        cls,
        name: str,
        workflow: Launchable[W],
        default_inputs: dict[str, Any] | None = None,
        fixed_inputs: dict[str, Any] | None = None,
        schedule: Schedule | None = None,
        notifications: list[Notification] | None = None,
        labels: dict[str, str] | None = None,
        annotations: dict[str, str] | None = None,
        raw_output_data_config: RawOutputDataConfig | None = None,
        max_parallelism: int | None = None,
        security_context: SecurityContext | None = None,
        auth_role: AuthRole | None = None,
        trigger: LaunchPlanTriggerBase | None = None,
        overwrite_cache: bool | None = None,
        auto_activate: bool = False,
        concurrency: ConcurrencyPolicy | None = None,
    ) -> LaunchPlan[W]:
        """Make a plan.

        :param name: unique in this process
        :param default_inputs: in place of the workflow's own defaults
        :param fixed_inputs: that nobody can change
        :param max_parallelism: nodes at the same time
        :param auth_role: the older spelling of ``security_context``
        :param auto_activate: whether registration activates it
        :raises AssertionError: if there is a plan of that name
        """
        if name in cls.CACHE:
            raise AssertionError(f"Launch plan named {name} was already created! Make sure your names are unique.")
        parameters, fixed = _inputs(workflow, default_inputs or {}, fixed_inputs or {})
        made: LaunchPlan[Any] = cls(
            name=name,
            workflow=workflow,
            parameters=parameters,
            fixed_inputs=fixed,
            schedule=schedule,
            notifications=notifications,
            labels=labels,
            annotations=annotations,
            raw_output_data_config=raw_output_data_config,
            max_parallelism=max_parallelism,
            security_context=_security(security_context, auth_role),
            trigger=trigger,
            overwrite_cache=overwrite_cache,
            auto_activate=auto_activate,
            concurrency=concurrency,
        )
        plan: LaunchPlan[W] = made
        plan.saved_inputs = {**(default_inputs or {}), **(fixed_inputs or {})}
        cls.CACHE[name] = plan
        return plan

    @classmethod
    def get_or_create(
        cls, workflow: Launchable[W], name: str | None = None, **kwargs: Unpack[LaunchPlanArguments]
    ) -> LaunchPlan[W]:
        """Return the plan of a name, made if there is none; the workflow's default plan without a name.

        :param kwargs: as of :meth:`create`
        :raises AssertionError: if there is one of that name that differs
        """
        given = {key: value for key, value in kwargs.items() if value is not None and value is not False}
        if name is None:
            if given:
                raise ValueError(
                    "Only named launchplans can be created that have other properties. Drop the name if you want to"
                    " create a default launchplan. Default launchplans cannot have any other associations"
                )
            return cls.get_default_launch_plan(FlyteContextManager.current_context(), workflow)
        known = LaunchPlan.CACHE.get(name)
        if known is None:
            return cls.create(name, workflow, **kwargs)
        if known.workflow is not workflow:
            raise AssertionError(
                f"Trying to create two launch plans both named '{name}' for the workflows '{workflow.name}' "
                f"and '{known.workflow.name}' - please ensure unique names."
            )
        known.check_same(given)
        return known

    def check_same(self, given: dict[str, Any]) -> None:
        """Check that arguments of :meth:`create` would make this same plan.

        :raises AssertionError: naming the argument that differs
        """
        wanted = dict(given)
        wanted["saved_inputs"] = {**wanted.pop("default_inputs", {}), **wanted.pop("fixed_inputs", {})}
        wanted["security_context"] = _security(wanted.get("security_context"), wanted.pop("auth_role", None))
        for field in _COMPARED:
            mine = getattr(self, field)
            if (wanted.get(field) or None) != (mine or None):
                raise AssertionError(
                    f"Trying to create two launch plans for workflow '{self.workflow.name}' both named '{self._name}' "
                    f"but with different values for '{field}' - please use different launch plan names."
                )

    @property
    def name(self) -> str:
        """Name of the plan."""
        return self._name

    @property
    def python_interface(self) -> Interface:
        """Signature of the workflow."""
        interface: Interface = self.workflow.python_interface
        return interface

    @property
    def interface(self) -> TypedInterface:
        """Signature of the workflow on the wire."""
        return self.python_interface.typed

    @property
    def should_auto_activate(self) -> bool:
        """Whether registration activates it."""
        return self.auto_activate

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of a node that calls it."""
        metadata: NodeMetadata = self.workflow.construct_node_metadata()
        return metadata

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Run the workflow in this process."""
        return self.workflow.local_execute(ctx, **{**self.saved_inputs, **kwargs})

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.LOCAL_WORKFLOW_EXECUTION

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Call it: a node while compiling, else a local run of the workflow."""
        if args:
            raise AssertionError("Only Keyword Arguments are supported for launch plan executions")
        ctx = FlyteContext.current_context()
        inputs = {**self.saved_inputs, **kwargs}
        if ctx.compilation_state is not None:
            node: R = create_and_link_node(ctx, self, **inputs)
            return node
        returned: R = self.workflow(**inputs)
        return returned

    def __repr__(self) -> str:
        return f"LaunchPlan({self._name})"


def _inputs(
    workflow: Any, default_inputs: dict[str, Any], fixed_inputs: dict[str, Any]
) -> tuple[ParameterMap, LiteralMap]:
    ctx = FlyteContextManager.current_context()
    interface: Interface = workflow.python_interface
    unknown = [name for name in {**default_inputs, **fixed_inputs} if name not in interface.inputs]
    if unknown:
        raise KeyError(f"{workflow.name} has no input {unknown[0]}; it has {list(interface.inputs)}")
    parameters = transform_inputs_to_parameters(ctx, interface)
    own = Interface(inputs={name: (interface.inputs[name], value) for name, value in default_inputs.items()})
    changed = transform_inputs_to_parameters(ctx, own)
    for name in changed.parameters:
        parameters.parameters[name].CopyFrom(changed.parameters[name])
    literals = translate_inputs_to_literals(ctx, fixed_inputs, workflow.interface.inputs, interface.inputs)
    return parameters, LiteralMap(literals=literals)


def _security(context: SecurityContext | None, role: AuthRole | None) -> SecurityContext | None:
    if role is None:
        return context
    if context is not None:
        raise ValueError("Use of AuthRole is deprecated. You cannot specify both AuthRole and SecurityContext")
    identity = Identity(iam_role=role.assumable_iam_role, k8s_service_account=role.kubernetes_service_account)
    return SecurityContext(run_as=identity)


class ReferenceLaunchPlan(ReferenceEntity[P, R], LaunchPlan[R], Generic[P, R]):
    """A plan that is registered already."""

    def __init__(
        self,
        project: str,
        domain: str,
        name: str,
        version: str,
        inputs: dict[str, Any],
        outputs: dict[str, Any],
    ) -> None:
        ReferenceEntity.__init__(self, LaunchPlanReference(project, domain, name, version), inputs, outputs)
        self.fixed_inputs = LiteralMap()
        self.saved_inputs = {}


def reference_launch_plan(
    project: str, domain: str, name: str, version: str
) -> Callable[[Callable[P, R]], ReferenceLaunchPlan[P, R]]:
    """Refer to a plan that is registered already; the function gives only its signature."""
    return reference_by_signature(ReferenceLaunchPlan, project, domain, name, version)
