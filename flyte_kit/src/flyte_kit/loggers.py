"""The SDK's one logger.

``FLYTE_SDK_LOGGING_LEVEL`` sets its level by number, as for flytekit (10 debug, 20 info, 30 warning, 40 error).
"""

from __future__ import annotations

import logging
import os

DEFAULT_LEVEL = logging.WARNING

logger = logging.getLogger("flyte_kit")
logger.setLevel(int(os.environ.get("FLYTE_SDK_LOGGING_LEVEL", DEFAULT_LEVEL)))
