"""Fourier transforms along one dimension, under the names of torch.fft.

In all of them integers and bool are computed in the default dtype, and float16 and bfloat16 are
refused (NotImplementedError). `n` cuts the dimension or extends it by zeros before the transform.
`norm` is "backward" (the default: the inverse divides by n), "forward" (the forward transform does)
or "ortho" (both divide by the root of n). A dimension that the tensor does not have is an
IndexError; a size below one and an unknown norm are RuntimeErrors.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import ALL, REAL
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.fft._arguments import ToReal, check_size, dim_of, inexact, norm_of, resized
from dispatch_core.ops.fft.transform import SWAPPED


def _samples(make: Any) -> list[Any]:
    return [
        (make(5),),
        (make(5), 3),
        (make(2, 3), 6, 0, "ortho"),
        (make(4, 2, low=0), None, -2, "forward"),
    ]


def _family(accepts: Any = ALL) -> Any:
    return custom(accepts, halves=False, samples=_samples)


def _family_real() -> Any:
    return ToReal(halves=False, samples=_samples)


def _prepared(input: Tensor, n: Any, dim: Any, *, complex: bool) -> tuple[Tensor, int]:
    x = inexact(input, complex=complex)
    d = dim_of(dim, x.ndim)
    size = check_size(x.shape[d] if n is None else whole("n", n))
    return resized(x, (d,), (size,)), d


def _c2c(input: Tensor, n: Any, dim: Any, norm: Any, forward: bool) -> Tensor:
    x, d = _prepared(input, n, dim, complex=True)
    return K.fft_c2c(x, (d,), norm_of(norm), forward)


@composite(_family(), namespace="_", aliases=("fft.fft",), out=True)
def fft_fft(input: Tensor, n: Any = None, dim: int = -1, norm: Any = None) -> Tensor:
    """X_k = sum_j x_j exp(-2 pi i j k / n) along a dimension; complex, with n elements there."""
    return _c2c(input, n, dim, norm, True)


@composite(_family(), namespace="_", aliases=("fft.ifft",), out=True)
def fft_ifft(input: Tensor, n: Any = None, dim: int = -1, norm: Any = None) -> Tensor:
    """x_j = 1/n sum_k X_k exp(2 pi i j k / n) along a dimension, the inverse of `fft`; complex."""
    return _c2c(input, n, dim, norm, False)


@composite(_family(REAL), namespace="_", aliases=("fft.rfft",), out=True)
def fft_rfft(input: Tensor, n: Any = None, dim: int = -1, norm: Any = None) -> Tensor:
    """`fft` of a real tensor without the half that follows by symmetry: n // 2 + 1 elements.

    A complex tensor is refused (NotImplementedError).
    """
    x, d = _prepared(input, n, dim, complex=False)
    return K.fft_r2c(x, (d,), norm_of(norm))


@composite(_family(REAL), namespace="_", aliases=("fft.ihfft",), out=True)
def fft_ihfft(input: Tensor, n: Any = None, dim: int = -1, norm: Any = None) -> Tensor:
    """The inverse of `hfft`: half of `ifft` of a real tensor, n // 2 + 1 elements; complex.

    A complex tensor is refused (NotImplementedError).
    """
    x, d = _prepared(input, n, dim, complex=False)
    return K.conj(K.fft_r2c(x, (d,), SWAPPED[norm_of(norm)]))


def _halved(input: Tensor, n: Any, dim: Any) -> tuple[Tensor, int, int]:
    """Half a spectrum, its dimension and the size of the whole."""
    x = inexact(input, complex=True)
    d = dim_of(dim, x.ndim)
    size = check_size(2 * (x.shape[d] - 1) if n is None else whole("n", n))
    return resized(x, (d,), (size // 2 + 1,)), d, size


@composite(_family_real(), namespace="_", aliases=("fft.irfft",), out=True)
def fft_irfft(input: Tensor, n: Any = None, dim: int = -1, norm: Any = None) -> Tensor:
    """The inverse of `rfft`, from half a spectrum; real, with n elements (default: 2 (size - 1)).

    An odd n must be given. The imaginary part of frequency 0, and of n / 2, has no influence.
    """
    x, d, size = _halved(input, n, dim)
    return K.fft_c2r(x, (d,), norm_of(norm), size)


@composite(_family_real(), namespace="_", aliases=("fft.hfft",), out=True)
def fft_hfft(input: Tensor, n: Any = None, dim: int = -1, norm: Any = None) -> Tensor:
    """`fft` of a Hermitian signal given by its first half; real, n elements (2 (size - 1))."""
    x, d, size = _halved(input, n, dim)
    return K.fft_c2r(K.conj(x), (d,), SWAPPED[norm_of(norm)], size)
