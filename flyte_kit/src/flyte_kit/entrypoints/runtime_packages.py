"""Packages that an ImageSpec wants installed when a container starts."""

from __future__ import annotations

import os
import subprocess
import sys

from flyte_kit.core.constants import RUNTIME_PACKAGES_ENV_NAME


def install_runtime_packages() -> None:
    """Install what the environment asks for, into this environment.

    :raises subprocess.CalledProcessError: if pip fails; the container then ends, and the engine sees its code
    """
    packages = os.environ.get(RUNTIME_PACKAGES_ENV_NAME, "").split()
    if packages:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *packages], check=True)
