"""Fourier transforms along several dimensions, under the names of torch.fft.

`s` gives the sizes to which the dimensions are cut or extended by zeros (-1 keeps one), `dim` the
dimensions: by default all of them, or the last as many as `s` has values; in the transforms that
end in 2 the last two. Of half spectra the last of the dimensions is the halved one. dtypes, norms
and errors are those of the transforms along one dimension.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import ALL, REAL
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.fft._arguments import (
    ToReal,
    check_size,
    inexact,
    norm_of,
    resized,
    sizes_and_dims,
)
from dispatch_core.ops.fft.transform import SWAPPED

LAST_TWO = (-2, -1)


def _samples(make: Any) -> list[Any]:
    return [
        (make(3, 4),),
        (make(2, 3, 4), (3, 5), (0, -1), "ortho"),
        (make(3, 2, 2), (2, -1), (1, 0), "forward"),
    ]


def _samples_two(make: Any) -> list[Any]:
    return [(make(2, 3, 4),), (make(3, 4), (2, 3), (1, 0), "ortho")]


def _family(accepts: Any = ALL) -> Any:
    return custom(accepts, halves=False, samples=_samples)


def _family_two(accepts: Any = ALL) -> Any:
    return custom(accepts, halves=False, samples=_samples_two)


def _family_real(samples: Any) -> Any:
    return ToReal(halves=False, samples=samples)


def _two(dim: Any) -> Any:
    if dim is None:
        raise TypeError("argument 'dim' must be tuple of ints, not NoneType")
    return dim


# -- complex to complex --------------------------------------------------------------------------


def _c2c(input: Tensor, s: Any, dim: Any, norm: Any, forward: bool) -> Tensor:
    sizes, dims = sizes_and_dims(input, s, dim)
    x = resized(inexact(input, complex=True), dims, sizes)
    return K.fft_c2c(x, dims, norm_of(norm), forward)


@composite(_family(), namespace="_", aliases=("fft.fftn",), out=True)
def fft_fftn(input: Tensor, s: Any = None, dim: Any = None, norm: Any = None) -> Tensor:
    """`fft` along several dimensions; complex."""
    return _c2c(input, s, dim, norm, True)


@composite(_family(), namespace="_", aliases=("fft.ifftn",), out=True)
def fft_ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: Any = None) -> Tensor:
    """`ifft` along several dimensions; complex."""
    return _c2c(input, s, dim, norm, False)


@composite(_family_two(), namespace="_", aliases=("fft.fft2",), out=True)
def fft_fft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: Any = None) -> Tensor:
    """`fft` along two dimensions; complex."""
    return _c2c(input, s, _two(dim), norm, True)


@composite(_family_two(), namespace="_", aliases=("fft.ifft2",), out=True)
def fft_ifft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: Any = None) -> Tensor:
    """`ifft` along two dimensions; complex."""
    return _c2c(input, s, _two(dim), norm, False)


# -- real to half a spectrum ---------------------------------------------------------------------


def _one_at_least(name: str, dims: Any) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


def _r2c(name: str, input: Tensor, s: Any, dim: Any, norm: str) -> Tensor:
    sizes, dims = sizes_and_dims(input, s, dim)
    _one_at_least(name, dims)
    return K.fft_r2c(resized(inexact(input), dims, sizes), dims, norm)


@composite(_family(REAL), namespace="_", aliases=("fft.rfftn",), out=True)
def fft_rfftn(input: Tensor, s: Any = None, dim: Any = None, norm: Any = None) -> Tensor:
    """`fftn` of a real tensor, the last dimension without the half that follows by symmetry."""
    return _r2c("rfftn", input, s, dim, norm_of(norm))


@composite(_family_two(REAL), namespace="_", aliases=("fft.rfft2",), out=True)
def fft_rfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: Any = None) -> Tensor:
    """`fft2` of a real tensor, the last dimension without the half that follows by symmetry."""
    return _r2c("rfft2", input, s, _two(dim), norm_of(norm))


@composite(_family(REAL), namespace="_", aliases=("fft.ihfftn",), out=True)
def fft_ihfftn(input: Tensor, s: Any = None, dim: Any = None, norm: Any = None) -> Tensor:
    """The inverse of `hfftn`: `ifftn` of a real tensor, half of the last dimension; complex."""
    return K.conj(_r2c("ihfftn", input, s, dim, SWAPPED[norm_of(norm)]))


@composite(_family_two(REAL), namespace="_", aliases=("fft.ihfft2",), out=True)
def fft_ihfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: Any = None) -> Tensor:
    """The inverse of `hfft2`: `ifft2` of a real tensor, half of the last dimension; complex."""
    return K.conj(_r2c("ihfft2", input, s, _two(dim), SWAPPED[norm_of(norm)]))


# -- half a spectrum to real ---------------------------------------------------------------------


def _halved(name: str, input: Tensor, s: Any, dim: Any) -> tuple[Tensor, tuple[int, ...], int]:
    """Half a spectrum, its dimensions and the size of the whole along the last of them."""
    sizes, dims = sizes_and_dims(input, s, dim)
    _one_at_least(name, dims)
    last = None if s is None else (s[-1] if isinstance(s, (tuple, list)) else s)
    whole = 2 * (input.shape[dims[-1]] - 1) if last in (None, -1) else sizes[-1]
    sizes[-1] = check_size(whole) // 2 + 1
    return resized(inexact(input, complex=True), dims, sizes), dims, whole


def _c2r(name: str, input: Tensor, s: Any, dim: Any, norm: Any) -> Tensor:
    x, dims, size = _halved(name, input, s, dim)
    return K.fft_c2r(x, dims, norm_of(norm), size)


def _hermitian(name: str, input: Tensor, s: Any, dim: Any, norm: Any) -> Tensor:
    x, dims, size = _halved(name, input, s, dim)
    return K.fft_c2r(K.conj(x), dims, SWAPPED[norm_of(norm)], size)


@composite(_family_real(_samples), namespace="_", aliases=("fft.irfftn",), out=True)
def fft_irfftn(input: Tensor, s: Any = None, dim: Any = None, norm: Any = None) -> Tensor:
    """The inverse of `rfftn`; real, the last dimension with s[-1] (or 2 (size - 1)) elements."""
    return _c2r("irfftn", input, s, dim, norm)


@composite(_family_real(_samples_two), namespace="_", aliases=("fft.irfft2",), out=True)
def fft_irfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: Any = None) -> Tensor:
    """The inverse of `rfft2`; real, the last dimension with s[-1] (or 2 (size - 1)) elements."""
    return _c2r("irfft2", input, s, _two(dim), norm)


@composite(_family_real(_samples), namespace="_", aliases=("fft.hfftn",), out=True)
def fft_hfftn(input: Tensor, s: Any = None, dim: Any = None, norm: Any = None) -> Tensor:
    """`fftn` of a Hermitian signal given by half of its last dimension; real."""
    return _hermitian("hfftn", input, s, dim, norm)


@composite(_family_real(_samples_two), namespace="_", aliases=("fft.hfft2",), out=True)
def fft_hfft2(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: Any = None) -> Tensor:
    """`fft2` of a Hermitian signal given by half of its last dimension; real."""
    return _hermitian("hfft2", input, s, _two(dim), norm)
