"""Element-wise operators of three tensors: limits, interpolation, sums of a product or quotient."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import INEXACT, REAL_NUMBERS
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._formulas import Number  # noqa: F401  for annotations


def _limits(min: Any, max: Any) -> None:
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")


def _inside(input: Any, min: Any, max: Any) -> Any:
    """Where neither limit changes the element."""
    if min is None:
        return input <= max
    return input >= min if max is None else (input >= min) & (input <= max)


def _clamp_min(K: Any, g: Any, input: Any, min: Any, max: Any) -> Any:
    below = input < min
    return K.where(below if max is None else below & (min < max), g, 0.0)


def _clamp_max(K: Any, g: Any, input: Any, min: Any, max: Any) -> Any:
    above = input > max
    return K.where(above if min is None else above | (min >= max), g, 0.0)


@composite(
    pointwise(
        SAME,
        REAL_NUMBERS,
        samples=lambda make: [
            (make(3, 4), -0.5, 0.5),
            (make(3, 4), None, 0.5),
            (make(3, 4), make(4), None),
            (make(3, 1), make(3, 4), make(4)),
        ],
    ),
    grad={
        "input": lambda K, g, input, min, max: K.where(_inside(input, min, max), g, 0.0),
        "min": lambda K, g, input, min, max: _clamp_min(K, g, input, min, max),
        "max": lambda K, g, input, min, max: _clamp_max(K, g, input, min, max),
    },
    aliases=("clip",),
    out=True,
)
def clamp(
    input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None
) -> Tensor:
    """Each element limited to min ... max, either of which may be None; `max` wins where min > max."""
    _limits(min, max)
    if min is not None:
        input = K.maximum(input, min)
    return input if max is None else K.minimum(input, max)


@composite(pointwise(SAME, REAL_NUMBERS), out=True)
def clamp_min(input: Tensor, min: Tensor | Number) -> Tensor:
    """Each element, but at least `min`."""
    return K.clamp(input, min, None)  # type: ignore[no-any-return]


@composite(pointwise(SAME, REAL_NUMBERS), out=True)
def clamp_max(input: Tensor, max: Tensor | Number) -> Tensor:
    """Each element, but at most `max`."""
    return K.clamp(input, None, max)  # type: ignore[no-any-return]


@composite(
    pointwise(
        SAME,
        INEXACT,
        samples=lambda make: [
            (make(3, 4), make(3, 4), 0.3),
            (make(3, 4), make(4), make(3, 1)),
        ],
    ),
    grad={
        "input": lambda K, g, weight: g * K.conj(1 - weight),
        "end": lambda K, g, weight: g * K.conj(weight),
        "weight": lambda K, g, input, end: g * K.conj(end - input),
    },
    out=True,
)
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """input + weight * (end - input)."""
    return input + weight * (end - input)


@composite(
    pointwise(SAME, samples=lambda make: [(make(3, 4), make(3, 4), make(4)), (make(), make(2), make(2))]),
    grad={
        "input": lambda g: g,
        "tensor1": lambda K, g, tensor2: g * K.conj(tensor2),
        "tensor2": lambda K, g, tensor1: g * K.conj(tensor1),
    },
    out=True,
    handled=("value",),
)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""
    product = tensor1 * tensor2
    return input + (product if value == 1 else product * value)


@composite(
    pointwise(
        SAME,
        INEXACT,
        domain=(0.2, 3.0),
        samples=lambda make: [(make(3, 4), make(3, 4), make(4, low=0.2, high=3.0))],
    ),
    grad={
        "input": lambda g: g,
        "tensor1": lambda K, g, tensor2: g / K.conj(tensor2),
        "tensor2": lambda K, g, tensor1, tensor2: -g * K.conj(tensor1 / (tensor2 * tensor2)),
    },
    out=True,
    handled=("value",),
)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else quotient * value)
