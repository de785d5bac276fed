"""Limits of concurrent runs, under flytekit's module name."""

from flyte_kit.core.launch_plan import ConcurrencyLimitBehavior, ConcurrencyPolicy

__all__ = ["ConcurrencyLimitBehavior", "ConcurrencyPolicy"]
