"""Container images described in Python."""

from flyte_kit.image_spec.image_spec import ImageBuildEngine, ImageSpec, ImageSpecBuilder

__all__ = ["ImageBuildEngine", "ImageSpec", "ImageSpecBuilder"]
