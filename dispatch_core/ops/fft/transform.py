"""The three discrete Fourier transforms that all others are made of.

Complex to complex, real to half a spectrum, half a spectrum to real. The bodies multiply by the DFT
matrix, dimension by dimension; a backend that has a fast transform registers it under these names.

All are linear, so their gradients are their adjoints. The DFT matrix is symmetric and its conjugate
is n times its inverse (Van Loan, Computational frameworks for the fast Fourier transform, 1992,
chapter 1): the adjoint is the transform in the other direction with the scale that this one had. Half
a spectrum stands for both halves, so its inner frequencies count twice.

`norm` is numpy's: "backward" divides where `forward` is false, "forward" where it is true, "ortho"
divides by the root on both ways.
"""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._families.base import COMPLEX, FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor

SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
"""The norm that has the same scale in the other direction."""


def _scaled(output: Tensor, norm: str, forward: bool, count: int) -> Tensor:
    if norm == "ortho":
        return output / math.sqrt(count)
    return output / count if (norm == "forward") is forward else output


def _size_of(shape: Any, dims: Any) -> int:
    return math.prod(shape[d] for d in dims)


def _circle(input: Tensor, rows: int, columns: int, size: int) -> tuple[Tensor, Tensor]:
    """cos and sin of 2 pi j k / size for row j and column k, in the real dtype of the input."""
    j, k = K.storage_index(input, rows), K.storage_index(input, columns)
    # Whole turns are taken off while the numbers are exact.
    part = K.cast(K.remainder(K.unsqueeze(j, 1) * k, size), input.dtype.to_real())
    angle = part * (2 * math.pi / size)
    return K.cos(angle), K.sin(angle)


def _along(input: Tensor, dim: int, matrix: Tensor) -> Tensor:
    """Each vector along a dimension times a matrix."""
    return K.movedim(K.matmul(K.movedim(input, dim, -1), matrix), -1, dim)


def _weighted(K: Any, half: Any, dim: int, size: int, weight: float) -> Any:
    """Half a spectrum with the frequencies weighted that stand for two of the whole of `size`."""
    inner = size - half.shape[dim]
    if inner <= 0:
        return half
    first, middle = K.narrow(half, dim, 0, 1), K.narrow(half, dim, 1, inner)
    last = K.narrow(half, dim, 1 + inner, half.shape[dim] - 1 - inner)
    return K.cat([first, middle * weight, last], dim)


@composite(
    custom(
        COMPLEX,
        samples=lambda make: [
            (make(5), (0,), "backward", True),
            (make(4, 3), (1, 0), "ortho", False),
            (make(2, 3, 4), (2, 0), "forward", True),
            (make(2, 6), (1,), "backward", False),
            (make(0, 3), (1,), "backward", True),
        ],
    ),
    grad={
        "input": lambda K, g, dims, norm, forward: K.fft_c2c(g, dims, SWAPPED[norm], not forward)
    },
    namespace="_",
)
def fft_c2c(input: Tensor, dims: Any, norm: str, forward: bool) -> Tensor:
    """The sum over j of x_j exp(-2 pi i j k / n) (with + where not `forward`) along `dims`.

    A complex tensor of the same shape and dtype. The dimensions are not negative and not empty.
    """
    output = K.clone(input)
    for d in dims:
        n = input.shape[d]
        cos, sin = _circle(input, n, n, n)
        output = _along(output, d, K.complex(cos, -sin if forward else sin))
    return _scaled(output, norm, forward, _size_of(input.shape, dims))


@composite(
    custom(
        FLOATING,
        halves=False,
        samples=lambda make: [
            (make(5), (0,), "backward"),
            (make(4, 3), (1, 0), "ortho"),
            (make(3, 2, 4), (0, 2), "forward"),
            (make(3, 1), (1,), "forward"),
            (make(0, 3), (1,), "backward"),
        ],
    ),
    grad={"input": lambda K, g, input_shape, dims, norm: _r2c_input(K, g, input_shape, dims, norm)},
    namespace="_",
)
def fft_r2c(input: Tensor, dims: Any, norm: str) -> Tensor:
    """The forward transform of a real tensor; of the last of `dims` frequencies 0 ... n // 2 only."""
    *others, last = dims
    n = input.shape[last]
    cos, sin = _circle(input, n, n // 2 + 1, n)
    output = K.complex(_along(input, last, cos), _along(input, last, -sin))
    output = _scaled(output, norm, True, n)
    return K.fft_c2c(output, tuple(others), norm, True) if others else output


def _r2c_input(K: Any, g: Any, shape: Any, dims: Any, norm: str) -> Any:
    # The inverse doubles the inner frequencies.
    n = shape[dims[-1]]
    return K.fft_c2r(_weighted(K, g, dims[-1], n, 0.5), dims, SWAPPED[norm], n)


@composite(
    custom(
        COMPLEX,
        samples=lambda make: [
            (make(3), (0,), "backward", 5),
            (make(3), (0,), "forward", 4),
            (make(4, 3), (1, 0), "ortho", 7),
            (make(3, 2, 4), (0, 2), "forward", 6),
            (make(3, 1), (1,), "backward", 1),
            (make(0, 3), (1,), "backward", 4),
        ],
    ),
    grad={"input": lambda K, g, dims, norm, size: _c2r_input(K, g, dims, norm, size)},
    namespace="_",
)
def fft_c2r(input: Tensor, dims: Any, norm: str, size: int) -> Tensor:
    """The inverse of `fft_r2c`: real, with `size` elements along the last of `dims`.

    There the input has size // 2 + 1 elements; the imaginary part of those without a partner
    (frequency 0, and of an even size the last) has no influence.
    """
    *others, last = dims
    if others:
        input = K.fft_c2c(input, tuple(others), norm, False)
    both = _weighted(K, input, last, size, 2.0)
    cos, sin = _circle(input, both.shape[last], size, size)
    output = _along(K.real(both), last, cos) - _along(K.imag(both), last, sin)
    return _scaled(output, norm, False, size)


def _c2r_input(K: Any, g: Any, dims: Any, norm: str, size: int) -> Any:
    return _weighted(K, K.fft_r2c(g, dims, SWAPPED[norm]), dims[-1], size, 2.0)
