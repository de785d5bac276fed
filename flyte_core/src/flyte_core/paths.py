"""Where things lie in the object store: upstream's layout, so that either side may read what the other wrote.

All results are URIs without a trailing slash. Prefixes are URIs: ``s3://flyte/metadata/propeller``.
"""

from __future__ import annotations

from dataclasses import dataclass

from flyteidl.core.identifier_pb2 import Identifier, WorkflowExecutionIdentifier

from flyte_core.identifiers import raw_output_shard

START_NODE = "start-node"
"""Id of the node whose outputs are the workflow's inputs."""
END_NODE = "end-node"
"""Id of the node whose inputs are the workflow's outputs."""
INPUTS = "inputs.pb"
OUTPUTS = "outputs.pb"
ERROR = "error.pb"
FUTURES = "futures.pb"
"""What a dynamic task leaves in place of outputs: a ``flyteidl.core.DynamicJobSpec``."""
DYNAMIC_COMPILED = "dynamic_compiled.pb"
"""Beside it: the ``flyteidl.core.CompiledWorkflowClosure`` that the data plane made of it."""
DECK = "deck.html"


def join(prefix: str, *parts: str) -> str:
    """Return the URI with ``parts`` appended, one slash between each two."""
    return "/".join([prefix.rstrip("/"), *(part.strip("/") for part in parts)])


def execution_data_dir(metadata_prefix: str, execution: WorkflowExecutionIdentifier) -> str:
    """Return the folder of everything that the data plane keeps of one execution.

    :param metadata_prefix: of the data plane (upstream's default ends in ``metadata/propeller``)
    """
    return join(metadata_prefix, f"{execution.project}-{execution.domain}-{execution.name}")


@dataclass(frozen=True, slots=True)
class NodePaths:
    """The folders of one node.

    :ivar data_dir: of the node, all attempts; holds ``inputs.pb``
    """

    data_dir: str

    @classmethod
    def top(cls, execution_dir: str, node_id: str) -> NodePaths:
        """Return the paths of a node of the execution's own workflow.

        :param execution_dir: from :func:`execution_data_dir`
        """
        return cls(join(execution_dir, node_id, "data"))

    def child(self, attempt: int, node_id: str) -> NodePaths:
        """Return the paths of a node below an attempt of this one: branch case, sub-workflow or dynamic node, or
        element of an array (whose ``node_id`` is its index).
        """
        return NodePaths(join(self.output_dir(attempt), node_id))

    @property
    def inputs(self) -> str:
        """URI of the resolved inputs."""
        return join(self.data_dir, INPUTS)

    def output_dir(self, attempt: int) -> str:
        """Return the folder into which that attempt writes (a task's ``--output-prefix``)."""
        return join(self.data_dir, str(attempt))

    def outputs(self, attempt: int) -> str:
        """Return the URI of that attempt's outputs."""
        return join(self.output_dir(attempt), OUTPUTS)


def workflow_inputs(execution_dir: str) -> str:
    """Return the URI of the workflow's inputs, which are the start node's outputs."""
    return NodePaths.top(execution_dir, START_NODE).outputs(0)


def workflow_outputs(execution_dir: str) -> str:
    """Return the URI of the workflow's outputs, as the SUCCEEDED event reports it."""
    return NodePaths.top(execution_dir, END_NODE).outputs(0)


def raw_output_dir(raw_output_prefix: str, generated_name: str) -> str:
    """Return the folder for what a task attempt uploads itself.

    :param generated_name: :func:`flyte_core.identifiers.attempt_name` within its default limit, whatever shorter name
        the plugin's resource has
    """
    return join(raw_output_prefix, raw_output_shard(generated_name), generated_name)


def checkpoint_dir(raw_output: str) -> str:
    """Return the folder of an attempt's checkpoint, given its :func:`raw_output_dir`."""
    return join(raw_output, "_flytecheckpoints")


def admin_inputs(metadata_prefix: str, execution: WorkflowExecutionIdentifier) -> str:
    """Return the URI where the control plane keeps the inputs an execution runs with (no suffix, as upstream).

    :param metadata_prefix: of the control plane's execution data (upstream's default ends in ``metadata``)
    """
    return join(metadata_prefix, execution.project, execution.domain, execution.name, "inputs")


def admin_user_inputs(metadata_prefix: str, execution: WorkflowExecutionIdentifier) -> str:
    """Return the URI where the control plane keeps the inputs as the user gave them, for a relaunch."""
    return join(metadata_prefix, execution.project, execution.domain, execution.name, "user_inputs")


def admin_closure(metadata_prefix: str, workflow: Identifier) -> str:
    """Return the URI of a workflow's ``flyteidl.admin.WorkflowClosure``.

    :param metadata_prefix: of the control plane's entities (upstream's default ends in ``metadata/admin``)
    """
    return join(metadata_prefix, workflow.project, workflow.domain, workflow.name, workflow.version)
