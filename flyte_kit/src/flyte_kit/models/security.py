"""Secrets and identities, under flytekit's module name."""

from flyte_kit.core.security import Identity, Secret, SecurityContext

__all__ = ["Identity", "Secret", "SecurityContext"]
