"""GPUs and TPUs by the names that clusters label their machines with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from flyteidl.core.tasks_pb2 import GPUAccelerator as GPUAcceleratorMessage


class BaseAccelerator(Protocol):
    """Something that a task can ask for with ``accelerator=``."""

    def to_flyte_idl(self) -> GPUAcceleratorMessage:
        """Return the accelerator as the wire has it."""
        ...


class GPUAccelerator:
    """A whole device, shared with nobody.

    :param device: value of the cluster's label
    """

    def __init__(self, device: str) -> None:
        self._device = device

    def to_flyte_idl(self) -> GPUAcceleratorMessage:
        """Return the accelerator as the wire has it."""
        return GPUAcceleratorMessage(device=self._device)


class MultiInstanceGPUAccelerator:
    """A device that comes in partitions or slices, each an attribute: ``A100.partition_2g_10gb``, ``V5E.slice_2x4``.

    :param device: value of the cluster's label
    :param parts: attribute to the partition's name on the cluster
    """

    def __init__(
        self, device: str, parts: Mapping[str, str], chosen: str | None = None, *, whole: bool = False
    ) -> None:
        self._device, self._parts, self._chosen, self._whole = device, MappingProxyType(dict(parts)), chosen, whole

    def __getattr__(self, name: str) -> MultiInstanceGPUAccelerator:
        parts = self.__dict__.get("_parts", {})
        if name in parts:
            return self.partitioned(parts[name])
        raise AttributeError(f"{name}: there are {', '.join(parts)}")

    @property
    def unpartitioned(self) -> MultiInstanceGPUAccelerator:
        """The device as a whole, on machines where it is not partitioned."""
        return MultiInstanceGPUAccelerator(self._device, self._parts, whole=True)

    def partitioned(self, partition_size: str) -> MultiInstanceGPUAccelerator:
        """Return a partition by its name on the cluster (``2g.10gb``)."""
        return MultiInstanceGPUAccelerator(self._device, self._parts, partition_size)

    def to_flyte_idl(self) -> GPUAcceleratorMessage:
        """Return the accelerator as the wire has it."""
        message = GPUAcceleratorMessage(device=self._device)
        if self._whole:
            message.unpartitioned = True
        elif self._chosen:
            message.partition_size = self._chosen
        return message


def _partitions(*names: str) -> dict[str, str]:
    return {"partition_" + name.replace(".", "_"): name for name in names}


def _slices(*names: str) -> dict[str, str]:
    return {"slice_" + name: name for name in names}


A10G = GPUAccelerator("nvidia-a10g")
L4 = GPUAccelerator("nvidia-l4")
L4_VWS = GPUAccelerator("nvidia-l4-vws")
L40S = GPUAccelerator("nvidia-l40s")
K80 = GPUAccelerator("nvidia-tesla-k80")
M60 = GPUAccelerator("nvidia-tesla-m60")
P4 = GPUAccelerator("nvidia-tesla-p4")
P100 = GPUAccelerator("nvidia-tesla-p100")
T4 = GPUAccelerator("nvidia-tesla-t4")
V100 = GPUAccelerator("nvidia-tesla-v100")
H100 = GPUAccelerator("nvidia-h100")
H200 = GPUAccelerator("nvidia-h200")
RTX_PRO_6000 = GPUAccelerator("nvidia-rtx-pro-6000")

A100 = MultiInstanceGPUAccelerator(
    "nvidia-tesla-a100", _partitions("1g.5gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb")
)
A100_80GB = MultiInstanceGPUAccelerator(
    "nvidia-a100-80gb", _partitions("1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")
)
V5E = MultiInstanceGPUAccelerator(
    "tpu-v5-lite-podslice", _slices("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16")
)
V5P = MultiInstanceGPUAccelerator(
    "tpu-v5p-slice",
    _slices("2x2x1", "2x2x2", "2x4x4", "4x4x4", "4x4x8", "4x8x8", "8x8x8", "8x8x16", "8x16x16", "16x16x16", "16x16x24"),
)
V6E = MultiInstanceGPUAccelerator("tpu-v6e-slice", _slices("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16"))
