"""Fourier transforms, by the array module's own fast ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Kernel = Callable[..., Any]


def kernels(xp: Any) -> dict[str, Kernel]:
    """Operator name -> kernel."""
    return {"fft_c2c": _c2c(xp.fft), "fft_r2c": _r2c(xp.fft), "fft_c2r": _c2r(xp.fft)}


def _c2c(fft: Any) -> Kernel:
    def c2c(input: Any, dims: Any, norm: str, forward: bool) -> Any:
        if not dims:
            return input.copy()
        transform = fft.fftn if forward else fft.ifftn
        return transform(input, axes=dims, norm=norm).astype(input.dtype, copy=False)

    return c2c


def _r2c(fft: Any) -> Kernel:
    def r2c(input: Any, dims: Any, norm: str) -> Any:
        wanted = "complex64" if input.dtype == "float32" else "complex128"
        return fft.rfftn(input, axes=dims, norm=norm).astype(wanted, copy=False)

    return r2c


def _c2r(fft: Any) -> Kernel:
    def c2r(input: Any, dims: Any, norm: str, size: int) -> Any:
        sizes = [*(input.shape[d] for d in dims[:-1]), size]
        wanted = "float32" if input.dtype == "complex64" else "float64"
        return fft.irfftn(input, s=sizes, axes=dims, norm=norm).astype(wanted, copy=False)

    return c2r
