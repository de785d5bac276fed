"""One suite per hook group, which the tests of a plugin package call in one line each.

Every suite goes on after a finding and raises :class:`Nonconforming` with all of them at the end.
"""

from flyte_core.testing.conformance.events import check_event_sink
from flyte_core.testing.conformance.findings import Nonconforming
from flyte_core.testing.conformance.storage import check_blob_store
from flyte_core.testing.conformance.task_types import (
    check_inline_task_type,
    check_remote_job_task_type,
    check_resource_task_type,
    sample_context,
)

__all__ = [
    "Nonconforming",
    "check_blob_store",
    "check_event_sink",
    "check_inline_task_type",
    "check_remote_job_task_type",
    "check_resource_task_type",
    "sample_context",
]
