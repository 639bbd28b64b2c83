"""Layers that pad the last one, two or three dimensions."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn._core import F, Tensor
from dispatch_core.nn.modules._sizes import ntuple
from dispatch_core.nn.modules.module import Module


class _Pad(Module):
    """What all paddings have: two lengths a dimension, those of the last dimension first."""

    _dims: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = ntuple(padding, 2 * self._dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Padding with one value."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Pads (*, L) with `value`."""

    _dims = 1


class ConstantPad2d(_ConstantPad):
    """Pads (*, H, W) with `value`."""

    _dims = 2


class ConstantPad3d(_ConstantPad):
    """Pads (*, D, H, W) with `value`."""

    _dims = 3


class _ZeroPad(_ConstantPad):
    """Padding with zeros."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    """Pads (*, L) with zeros."""

    _dims = 1


class ZeroPad2d(_ZeroPad):
    """Pads (*, H, W) with zeros."""

    _dims = 2


class ZeroPad3d(_ZeroPad):
    """Pads (*, D, H, W) with zeros."""

    _dims = 3


class ReflectionPad1d(_Pad):
    """Pads (N, C, L) or (C, L) with its mirror image, the edge itself left out."""

    _dims = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """Pads (N, C, H, W) or (C, H, W) with its mirror image, the edge itself left out."""

    _dims = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """Pads (N, C, D, H, W) or (C, D, H, W) with its mirror image, the edge itself left out."""

    _dims = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """Pads (N, C, L) or (C, L) with its edge."""

    _dims = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """Pads (N, C, H, W) or (C, H, W) with its edge."""

    _dims = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """Pads (N, C, D, H, W) or (C, D, H, W) with its edge."""

    _dims = 3
    _mode = "replicate"


class _CircularPad(_Pad):
    """Padding from the other end."""

    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self._dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """Pads (N, C, L) or (C, L) from its other end; ValueError for other inputs."""

    _dims = 1


class CircularPad2d(_CircularPad):
    """Pads (N, C, H, W) or (C, H, W) from its other end; ValueError for other inputs."""

    _dims = 2


class CircularPad3d(_CircularPad):
    """Pads (N, C, D, H, W) or (C, D, H, W) from its other end; ValueError for other inputs."""

    _dims = 3
