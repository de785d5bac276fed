"""All queries on workflows."""

from __future__ import annotations

from flyte_admin.db.listing import Listing
from flyte_admin.db.schema import workflows
from flyte_admin.registry.rows import EntityRows

ROWS = EntityRows(Listing("workflow", workflows), workflows, "WORKFLOW")
