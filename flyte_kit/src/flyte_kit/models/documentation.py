"""Descriptions, under flytekit's module name."""

from flyte_kit.core.documentation import Description, Documentation, SourceCode

__all__ = ["Description", "Documentation", "SourceCode"]
