"""For users' own tests: ``task_mock`` and ``patch`` replace what tasks do."""

from flyte_kit.core.secrets import SecretsManager
from flyte_kit.core.testing import patch, task_mock

__all__ = ["SecretsManager", "patch", "task_mock"]
