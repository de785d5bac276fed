"""Tensors and modules of PyTorch."""

from __future__ import annotations

from typing import Any

import torch

from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.transformers.one_file import OneFileTransformer


class _TorchTransformer(OneFileTransformer):
    suffix = ".pt"

    def save(self, value: Any, path: str) -> None:
        """Write an object."""
        torch.save(value, path)

    def load(self, path: str) -> Any:
        """Read an object, to a GPU where there is one. It is the task's own data: whole objects are read."""
        place = "cuda:0" if torch.cuda.is_available() else "cpu"
        return torch.load(path, map_location=torch.device(place), weights_only=False)


class PyTorchTensorTransformer(_TorchTransformer):
    """``torch.Tensor``."""

    format = "PyTorchTensor"

    def __init__(self) -> None:
        super().__init__("PyTorch Tensor", torch.Tensor)


class PyTorchModuleTransformer(_TorchTransformer):
    """``torch.nn.Module``."""

    format = "PyTorchModule"

    def __init__(self) -> None:
        super().__init__("PyTorch Module", torch.nn.Module)


TypeEngine.register(PyTorchTensorTransformer())
TypeEngine.register(PyTorchModuleTransformer())
