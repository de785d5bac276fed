"""The hooks by which installed packages extend the SDK.

A package names a module with functions marked ``@hookimpl`` in an entry point; the name of the entry point says when
the module is needed, so that nothing is imported before. In group ``flyte.types`` it is a library: the module is
loaded once that library is imported and a type is met that nothing else serves. In group ``flyte.image_builders`` it is
a builder: the module is loaded once an ``ImageSpec`` names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flyte_core.hookspecs import hookimpl, hookspec
from flyte_kit.core.type_transformer import TypeTransformer
from flyte_kit.image_spec.image_spec import ImageSpecBuilder

__all__ = ["flyte_image_builder", "flyte_type_transformers", "hookimpl"]


@hookspec
def flyte_type_transformers() -> Sequence[TypeTransformer[Any]]:
    """Return transformers, each for the Python type that it names.

    A type that another transformer serves is an error that names both.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def flyte_image_builder(name: str) -> ImageSpecBuilder | None:
    """Return the builder of images of that name, None where this package has another one only.

    :param name: of ``ImageSpec(builder=…)``
    """
    raise NotImplementedError
