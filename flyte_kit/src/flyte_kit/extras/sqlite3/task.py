"""Queries on SQLite files."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_kit.configuration.images import default_image_tag
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_sql_task import SQLTask, interpolate_query
from flyte_kit.core.base_task import kwtypes
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.python_customized_container_task import PythonCustomizedContainerTask
from flyte_kit.core.shim_task import ShimTaskExecutor
from flyte_kit.types.schema import FlyteSchema


@dataclass(frozen=True)
class SQLite3Config:
    """The database.

    :ivar uri: of the file
    :ivar compressed: whether it is the one file of an archive
    """

    uri: str
    compressed: bool = False


class SQLite3Task(PythonCustomizedContainerTask[SQLite3Config], SQLTask[SQLite3Config]):
    """A query; its result is a table named ``results``."""

    TASK_TYPE = "sqlite"

    def __init__(
        self,
        name: str,
        query_template: str,
        inputs: dict[str, Any] | None = None,
        task_config: SQLite3Config | None = None,
        output_schema_type: Any = None,
        container_image: str | None = None,
        **kwargs: Any,
    ) -> None:
        if task_config is None or not task_config.uri:
            raise ValueError("SQLite DB uri is required.")
        super().__init__(
            name=name,
            task_config=task_config,
            container_image=container_image or default_image_tag(),
            executor_type=SQLite3TaskExecutor,
            task_type=self.TASK_TYPE,
            query_template=query_template,
            inputs=inputs,
            outputs=kwtypes(results=output_schema_type or FlyteSchema),
            **kwargs,
        )

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        """Return query and database."""
        config = self.task_config
        if config is None:
            raise ValueError("SQLite DB uri is required.")
        return {"query_template": self.query_template, "uri": config.uri, "compressed": config.compressed}


class SQLite3TaskExecutor(ShimTaskExecutor[SQLite3Task]):
    """Runs the query on a copy of the file."""

    def execute_from_model(self, tt: TaskTemplate, **kwargs: Any) -> Any:
        """Return the result as a pandas frame."""
        pandas = importlib.import_module("pandas")
        uri = str(tt.custom["uri"])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(uri).name
            FlyteContext.current_context().file_access.get_data(uri, str(path))
            if tt.custom["compressed"]:
                path = _unpacked(path, Path(folder) / "unpacked")
            query = interpolate_query(str(tt.custom["query_template"]), **kwargs)
            with contextlib.closing(sqlite3.connect(path)) as connection:
                return pandas.read_sql_query(query, connection)


def _unpacked(archive: Path, folder: Path) -> Path:
    shutil.unpack_archive(archive, folder, filter="data")
    files = [path for path in folder.rglob("*") if path.is_file()]
    if len(files) != 1:
        raise RuntimeError(f"Uncompressed archive should contain only one file - found {files}!")
    return files[0]
