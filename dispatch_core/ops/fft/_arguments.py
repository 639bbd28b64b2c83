"""What Fourier transforms make of their arguments: dtype, sizes, dimensions, norm."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import dtype, get_default_dtype
from dispatch_core._families.base import Family
from dispatch_core._op import K
from dispatch_core._shapes import check_dim, whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.fft.transform import SWAPPED


class ToReal(Family):
    """A transform whose result is real, and which is not written to a complex `out=` either."""

    def fits_out(self, result: dtype, out: dtype) -> bool:
        return out.is_floating_point


def inexact(input: Tensor, *, complex: bool = False) -> Tensor:
    """The tensor in the dtype it is transformed in: integers become the default dtype."""
    wanted = input.dtype
    if not (wanted.is_floating_point or wanted.is_complex):
        wanted = get_default_dtype()
        if wanted.itemsize == 2:
            raise RuntimeError(
                f"Unsupported dtype {wanted.name}: integers are transformed in the default dtype; "
                "convert the tensor with .float() first"
            )
    if complex:
        wanted = wanted.to_complex()
    return input if wanted is input.dtype else K.cast(input, wanted)


def norm_of(norm: Any) -> str:
    """A `norm` argument as the core transforms take it; RuntimeError for an unknown one."""
    if norm is None:
        return "backward"
    if not isinstance(norm, str):
        raise TypeError(f"argument 'norm' must be str, not {type(norm).__name__}")
    if norm not in SWAPPED:
        raise RuntimeError(
            f'Invalid normalization mode: "{norm}"; it is one of "forward", "backward" and "ortho"'
        )
    return norm


def dim_of(dim: Any, ndim: int) -> int:
    """A dimension as a non-negative number; a tensor without dimensions has none."""
    if not ndim:
        dim = whole("dim", dim)
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return check_dim(dim, ndim)


def check_size(size: int) -> int:
    """RuntimeError for a transform of no elements."""
    if size < 1:
        raise RuntimeError(f"Invalid number of data points ({size}) specified")
    return size


def resized(input: Tensor, dims: Any, sizes: Any) -> Tensor:
    """The tensor cut, or extended by zeros, to sizes along dimensions."""
    sides = [(0, 0)] * input.ndim
    for d, size in zip(dims, sizes, strict=True):
        extra = size - input.shape[d]
        if extra < 0:
            input = K.narrow(input, d, 0, size)
        sides[d] = (0, max(extra, 0))
    return K.pad_constant(input, tuple(sides), 0.0) if any(map(any, sides)) else input


def sizes_and_dims(input: Tensor, s: Any, dim: Any) -> tuple[list[int], tuple[int, ...]]:
    """The sizes and dimensions that `s` and `dim` of an n-dimensional transform mean."""
    ndim = input.ndim
    if dim is not None:
        dims = [dim_of(d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"FFT dims must be unique, but got {dim}")
    else:
        dims = list(range(ndim))
    if s is None:
        sizes = [input.shape[d] for d in dims]
    else:
        sizes = [whole("s", n) for n in (s if isinstance(s, (tuple, list)) else (s,))]
        if dim is not None and len(sizes) != len(dims):
            raise RuntimeError(
                "When given, dim and shape arguments must have the same length, but got "
                f"dim={dim} and s={s}"
            )
        if len(sizes) > ndim:
            raise RuntimeError(
                f"Got shape with {len(sizes)} values but input tensor only has {ndim} dimensions."
            )
        dims = dims[len(dims) - len(sizes) :]
        sizes = [
            input.shape[d] if size == -1 else size for d, size in zip(dims, sizes, strict=True)
        ]
    for size in sizes:
        check_size(size)
    return sizes, tuple(dims)
