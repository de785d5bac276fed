"""The compiler as registration calls it: its problems become one refusal."""

from __future__ import annotations

from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest, WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure

from flyte_admin.workflows.references import References
from flyte_core.compiler import CompileErrors, compile_workflow
from flyte_core.errors import InvalidInput


def compile_request(request: WorkflowCreateRequest, references: References) -> CompiledWorkflowClosure:
    """Return the compiled workflow under the request's identifier, whatever its template says.

    :raises InvalidInput: with every problem that the compiler found
    """
    spec = WorkflowSpec()
    spec.CopyFrom(request.spec)
    spec.template.id.CopyFrom(request.id)
    try:
        return compile_workflow(spec, references.tasks, references.launch_plans)
    except CompileErrors as error:
        identifier = request.id
        raise InvalidInput(
            f'failed to compile workflow for [resource_type:WORKFLOW project:"{identifier.project}" '
            f'domain:"{identifier.domain}" name:"{identifier.name}" version:"{identifier.version}"] with err: {error}',
            field="spec.template",
        ) from error
