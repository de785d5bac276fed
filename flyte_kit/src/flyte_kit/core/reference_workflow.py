"""Workflows that are registered already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from flyte_kit.core.reference_entity import ReferenceEntity, WorkflowReference, reference_by_signature
from flyte_kit.core.type_variables import P, R


class ReferenceWorkflow(ReferenceEntity[P, R], Generic[P, R]):
    """A workflow that is registered already. It can be launched; as a part of another workflow use a launch plan."""

    def __init__(
        self,
        project: str,
        domain: str,
        name: str,
        version: str,
        inputs: dict[str, Any],
        outputs: dict[str, Any],
    ) -> None:
        super().__init__(WorkflowReference(project, domain, name, version), inputs, outputs)


def reference_workflow(
    project: str, domain: str, name: str, version: str
) -> Callable[[Callable[P, R]], ReferenceWorkflow[P, R]]:
    """Refer to a workflow that is registered already; the function gives only its signature."""
    return reference_by_signature(ReferenceWorkflow, project, domain, name, version)
