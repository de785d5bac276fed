"""Tasks that are queries."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from flyte_kit.core.base_task import PythonTask, TaskMetadata
from flyte_kit.core.interface import Interface

T = TypeVar("T")
_INPUT = re.compile(r"({{\s*.inputs.(\w+)\s*}})", re.IGNORECASE)


class SQLTask(PythonTask[T]):
    """A query with ``{{ .inputs.x }}`` where inputs go.

    :param query_template: white space is squeezed
    """

    def __init__(
        self,
        name: str,
        query_template: str,
        task_config: T | None = None,
        task_type: str = "sql_task",
        inputs: dict[str, Any] | None = None,
        metadata: TaskMetadata | None = None,
        outputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.query_template = re.sub(r"\s+", " ", query_template).strip()
        super().__init__(
            task_type=task_type,
            name=name,
            interface=Interface(inputs=inputs or {}, outputs=outputs or {}),
            metadata=metadata,
            task_config=task_config,
            **kwargs,
        )

    def execute(self, **kwargs: Any) -> Any:
        """Refuse: only the database can run it."""
        raise NotImplementedError(f"{self.name}: a SQL task cannot run here; mock it (flyte_kit.testing.task_mock).")

    def get_query(self, **kwargs: Any) -> str:
        """Return the query with inputs in their places."""
        return self.interpolate_query(self.query_template, **kwargs)

    @classmethod
    def interpolate_query(cls, query_template: str, **kwargs: Any) -> str:
        """Put inputs in their places, as text.

        :raises ValueError: if an input is missing, or has no place
        """
        return interpolate_query(query_template, **kwargs)


def interpolate_query(query_template: str, **kwargs: Any) -> str:
    """Put inputs in their places, as text.

    :raises ValueError: if an input is missing, or has no place
    """
    used: set[str] = set()

    def place(match: re.Match[str]) -> str:
        if match[2] not in kwargs:
            raise ValueError(f"Variable {match[2]} in Query (part of {match[1]}) not found in inputs {list(kwargs)}")
        used.add(match[2])
        return str(kwargs[match[2]])

    query = _INPUT.sub(place, query_template)
    extra = sorted(set(kwargs) - used)
    if extra:
        raise ValueError(f"Extra Inputs have no matches in query template - missing {extra}")
    return query
