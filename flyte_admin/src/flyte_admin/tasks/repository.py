"""All queries on tasks."""

from __future__ import annotations

from flyte_admin.db.listing import Listing
from flyte_admin.db.schema import tasks
from flyte_admin.registry.rows import EntityRows

ROWS = EntityRows(Listing("task", tasks), tasks, "TASK")
