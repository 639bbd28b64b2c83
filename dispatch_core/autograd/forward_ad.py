"""Forward-mode differentiation: dual tensors and the levels they live in."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.autograd._forward import Dual, make

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]

_level: ContextVar[int] = ContextVar("dual_level", default=0)


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns; the tangent is None for a tensor that has none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begin a level, inside of which tangents can be attached; returns its number."""
    _level.set(_level.get() + 1)
    return _level.get()


def exit_dual_level(*, level: int | None = None) -> None:
    """End the innermost level; RuntimeError when it is not the one given."""
    current = _level.get()
    if not current:
        raise RuntimeError("there is no dual level to exit; enter one with dual_level()")
    if level is not None and level != current:
        raise RuntimeError(
            f"Trying to exit a forward AD level that was not the last one that was created: "
            f"{level}, the last is {current}. This is not supported."
        )
    _level.set(current - 1)


class dual_level:
    """Context manager around a computation in forward mode."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc_info: object) -> None:
        exit_dual_level()


def _inside(level: int | None) -> int:
    current = _level.get() if level is None else level
    if current <= 0:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    return current


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor with a tangent of the same shape and dtype, for the computation inside this level."""
    current = _inside(level)
    if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
        raise ValueError(
            f"Expected primal to be floating point or complex, but got: {tensor.dtype}"
        )
    if not (tangent.dtype.is_floating_point or tangent.dtype.is_complex):
        raise ValueError(
            f"Expected tangent to be floating point or complex, but got: {tangent.dtype}"
        )
    if tensor.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the given "
            f"forward gradient is of size {list(tangent.shape)}."
        )
    if tensor.dtype is not tangent.dtype:
        tangent = K.cast(tangent, tensor.dtype)
    return make(tensor, tangent, current)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The tensor and its tangent."""
    current = _level.get() if level is None else level
    raw: Any = tensor._raw
    if isinstance(raw, Dual) and raw.level == current:
        return UnpackedDualTensor(raw.primal, raw.tangent)
    return UnpackedDualTensor(tensor, None)
