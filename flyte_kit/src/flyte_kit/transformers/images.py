"""Images of Pillow, as PNG files."""

from __future__ import annotations

import base64
import io
from typing import Any

import PIL.Image

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.transformers.one_file import OneFileTransformer


class PILImageTransformer(OneFileTransformer):
    """``PIL.Image.Image``."""

    format = "PIL.Image"
    suffix = ".png"

    def __init__(self) -> None:
        super().__init__("PIL.Image", PIL.Image.Image)

    def save(self, value: Any, path: str) -> None:
        """Write an image."""
        value.save(path)

    def load(self, path: str) -> Any:
        """Open an image."""
        return PIL.Image.open(path)

    def to_html(self, ctx: FlyteContext, python_val: Any, expected_python_type: Any) -> str:
        """Show an image."""
        buffer = io.BytesIO()
        python_val.save(buffer, format="PNG")
        return (
            f'<img src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}" alt="Rendered Image" />'
        )


TypeEngine.register(PILImageTransformer())
