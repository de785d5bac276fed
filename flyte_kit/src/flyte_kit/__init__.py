"""Flyte in Python: the SDK.

``from flyte_kit import task, workflow`` and whatever else flytekit has under ``flytekit``. Names are loaded when they
are first asked for, so that a program pays only for what it uses; type checkers see plain imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from flyte_kit._exports import EXPORTS

__version__ = "0.1.0"

if TYPE_CHECKING:
    from flyte_kit.configuration import Config as Config
    from flyte_kit.core.array_node_map_task import map_task as map_task
    from flyte_kit.core.artifact import Artifact as Artifact
    from flyte_kit.core.base_sql_task import SQLTask as SQLTask
    from flyte_kit.core.base_task import TaskMetadata as TaskMetadata
    from flyte_kit.core.base_task import kwtypes as kwtypes
    from flyte_kit.core.cache import Cache as Cache
    from flyte_kit.core.cache import CachePolicy as CachePolicy
    from flyte_kit.core.cache import VersionParameters as VersionParameters
    from flyte_kit.core.checkpointer import Checkpoint as Checkpoint
    from flyte_kit.core.condition import conditional as conditional
    from flyte_kit.core.container_task import ContainerTask as ContainerTask
    from flyte_kit.core.context_manager import ExecutionParameters as ExecutionParameters
    from flyte_kit.core.context_manager import FlyteContext as FlyteContext
    from flyte_kit.core.context_manager import FlyteContextManager as FlyteContextManager
    from flyte_kit.core.context_manager import current_context as current_context
    from flyte_kit.core.documentation import Description as Description
    from flyte_kit.core.documentation import Documentation as Documentation
    from flyte_kit.core.documentation import SourceCode as SourceCode
    from flyte_kit.core.dynamic_workflow_task import dynamic as dynamic
    from flyte_kit.core.eager import eager as eager
    from flyte_kit.core.environment import Environment as Environment
    from flyte_kit.core.gate import approve as approve
    from flyte_kit.core.gate import sleep as sleep
    from flyte_kit.core.gate import wait_for_input as wait_for_input
    from flyte_kit.core.hash import HashMethod as HashMethod
    from flyte_kit.core.imperative_workflow import ImperativeWorkflow as ImperativeWorkflow
    from flyte_kit.core.imperative_workflow import Workflow as Workflow
    from flyte_kit.core.launch_plan import ConcurrencyLimitBehavior as ConcurrencyLimitBehavior
    from flyte_kit.core.launch_plan import ConcurrencyPolicy as ConcurrencyPolicy
    from flyte_kit.core.launch_plan import LaunchPlan as LaunchPlan
    from flyte_kit.core.launch_plan import reference_launch_plan as reference_launch_plan
    from flyte_kit.core.new_context import new_context as new_context
    from flyte_kit.core.node_creation import create_node as create_node
    from flyte_kit.core.notification import Email as Email
    from flyte_kit.core.notification import PagerDuty as PagerDuty
    from flyte_kit.core.notification import Slack as Slack
    from flyte_kit.core.notification import WorkflowExecutionPhase as WorkflowExecutionPhase
    from flyte_kit.core.options import Annotations as Annotations
    from flyte_kit.core.options import AuthRole as AuthRole
    from flyte_kit.core.options import Labels as Labels
    from flyte_kit.core.options import Options as Options
    from flyte_kit.core.options import RawOutputDataConfig as RawOutputDataConfig
    from flyte_kit.core.pod_template import PodTemplate as PodTemplate
    from flyte_kit.core.python_function_task import PythonFunctionTask as PythonFunctionTask
    from flyte_kit.core.python_function_task import PythonInstanceTask as PythonInstanceTask
    from flyte_kit.core.reference import get_reference_entity as get_reference_entity
    from flyte_kit.core.reference_entity import LaunchPlanReference as LaunchPlanReference
    from flyte_kit.core.reference_entity import TaskReference as TaskReference
    from flyte_kit.core.reference_entity import WorkflowReference as WorkflowReference
    from flyte_kit.core.reference_workflow import reference_workflow as reference_workflow
    from flyte_kit.core.resources import Resources as Resources
    from flyte_kit.core.schedule import CronSchedule as CronSchedule
    from flyte_kit.core.schedule import FixedRate as FixedRate
    from flyte_kit.core.schedule import OnSchedule as OnSchedule
    from flyte_kit.core.security import Secret as Secret
    from flyte_kit.core.security import SecurityContext as SecurityContext
    from flyte_kit.core.task import TaskPlugins as TaskPlugins
    from flyte_kit.core.task import reference_task as reference_task
    from flyte_kit.core.task import task as task
    from flyte_kit.core.type_engine import BatchSize as BatchSize
    from flyte_kit.core.workflow import WorkflowFailurePolicy as WorkflowFailurePolicy
    from flyte_kit.core.workflow import workflow as workflow
    from flyte_kit.deck.deck import Deck as Deck
    from flyte_kit.image_spec.image_spec import ImageSpec as ImageSpec
    from flyte_kit.loggers import logger as logger
    from flyte_kit.models.core.types import BlobType as BlobType
    from flyte_kit.models.literals import Blob as Blob
    from flyte_kit.models.literals import BlobMetadata as BlobMetadata
    from flyte_kit.models.literals import Literal as Literal
    from flyte_kit.models.literals import Scalar as Scalar
    from flyte_kit.models.types import LiteralType as LiteralType
    from flyte_kit.remote.remote import FlyteRemote as FlyteRemote
    from flyte_kit.types.directory import FlyteDirectory as FlyteDirectory
    from flyte_kit.types.file import FlyteFile as FlyteFile
    from flyte_kit.types.structured import StructuredDataset as StructuredDataset
    from flyte_kit.types.structured import StructuredDatasetFormat as StructuredDatasetFormat
    from flyte_kit.types.structured import StructuredDatasetTransformerEngine as StructuredDatasetTransformerEngine
    from flyte_kit.types.structured import StructuredDatasetType as StructuredDatasetType

_MODULES = {name: module for module, names in EXPORTS.items() for name in names}

__all__ = [*sorted(_MODULES)]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'flyte_kit' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
