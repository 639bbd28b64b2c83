"""Images sampled at given places: `grid_sample`, and the grids of affine maps."""

from __future__ import annotations

from itertools import product as tuples
from typing import Any

from dispatch_core._dtypes import float32, int64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn.resample import tap_weight
from dispatch_core.ops.nn.windows import product

F = "nn.functional"
_TAPS = {"nearest": (0,), "bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(1, 2, 3, 2), make(1, 1, 2, 2, low=-0.8, high=0.8), "bilinear", "zeros", False),
            (make(1, 2, 3, 2), make(1, 1, 2, 2, low=-0.8, high=0.8), "bicubic", "border", True),
        ],
    ),
    namespace=F,
)
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """(N, C, H, W) at the places of grid (N, h, w, 2): (N, C, h, w); likewise for volumes.

    A place is (x, y[, z]) from -1 to 1 across the image. Modes "nearest", "bilinear" and, for
    images, "bicubic"; beyond the image lie "zeros", its "border" or its "reflection" (Jaderberg et
    al. 2015).
    """
    n = input.ndim - 2
    _check_grid(input, grid, mode, padding_mode)
    if grid.dtype.itemsize == 2:  # too coarse for coordinates
        wide = K.cast(input, float32), K.cast(grid, float32)
        return K.cast(K.grid_sample(*wide, mode, padding_mode, align_corners), input.dtype)
    sizes = tuple(input.shape[2:])
    out = tuple(grid.shape[1:-1])
    places = []
    for d, size in enumerate(sizes):
        at = K.reshape(K.select(grid, -1, n - 1 - d), (grid.shape[0], product(out)))
        at = (at + 1) * ((size - 1) / 2) if align_corners else ((at + 1) * size - 1) * 0.5
        if mode != "bicubic":  # whose taps are each brought inside
            at = _inside(at, size, padding_mode, bool(align_corners))
        places.append(at)
    planes = K.reshape(input, (*input.shape[:2], product(sizes)))
    total: Any = None
    for taps in tuples(_TAPS[mode], repeat=n):
        part = _at_taps(planes, sizes, places, taps, mode, padding_mode, bool(align_corners))
        total = part if total is None else total + part
    return K.reshape(total, (*input.shape[:2], *out))


def _check_grid(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    if mode not in _TAPS:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or "
            "'bicubic', but "
            f"got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if input.dtype is not grid.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected one dtype, but got {input.dtype} and {grid.dtype}"
        )
    n = input.ndim - 2
    if n not in (2, 3) or grid.ndim != input.ndim or grid.shape[-1] != n:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions and "
            f"size {n} in the last dimension of the grid, but got input with sizes "
            f"{list(input.shape)} and "
            f"grid with sizes {list(grid.shape)}"
        )
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with "
            f"sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if mode == "bicubic" and n != 2:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _inside(at: Any, size: int, padding_mode: str, align_corners: bool) -> Any:
    """Coordinates brought into the image, where the mode says so."""
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        low, span = (0.0, size - 1) if align_corners else (-0.5, size)
        if not span:
            return at * 0.0
        far = K.abs(at - low)
        turns = K.floor(far / span)
        rest = far - turns * span
        at = K.where(K.eq(K.remainder(turns, 2.0), 0), rest, span - rest) + low
    return K.where(K.ne(at, at), 0.0, K.clamp(at, 0, size - 1))


def _at_taps(
    planes: Tensor, sizes: Any, places: Any, taps: Any, mode: str, padding_mode: str, corners: bool
) -> Any:
    """The values at one neighbour of each place, times its weight."""
    flat: Any = 0
    weight: Any = None
    for size, place, tap in zip(sizes, places, taps, strict=True):
        near = (K.round if mode == "nearest" else K.floor)(place.detach()) + tap
        share = None if mode == "nearest" else tap_weight(near - place, mode == "bicubic", -0.75)
        if mode == "bicubic":
            near = _inside(near, size, padding_mode, corners)
        within = K.bitwise_and(K.ge(near, 0), K.le(near, size - 1))
        flat = flat * size + K.cast(K.where(within, near, 0.0), int64)
        within = K.cast(within, place.dtype)
        share = within if share is None else share * within
        weight = share if weight is None else weight * share
    lead = tuple(planes.shape[:2])
    index = K.expand(K.unsqueeze(flat, 1), (*lead, flat.shape[1]))
    return K.gather(planes, 2, index) * K.cast(K.unsqueeze(weight, 1), planes.dtype)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(2, 2, 3), (2, 1, 3, 4), False),
            (make(1, 3, 4), (1, 1, 2, 3, 2), True),
        ],
    ),
    namespace=F,
)
def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The grid (N, H, W, 2) with which `grid_sample` applies maps theta (N, 2, 3); or in 3D.

    `size` is that of the images, (N, C, H, W) or (N, C, D, H, W).
    """
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {tuple(size)}."
        )
    if min(size) < 1:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    if tuple(theta.shape[1:]) == (n, n + 1) and theta.shape[0] != size[0]:
        raise RuntimeError(
            f"affine_grid(): expected {size[0]} matrices for size {tuple(size)}, but got "
            f"{theta.shape[0]}"
        )
    if tuple(theta.shape) != (size[0], n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size "
            f"{tuple(size)}. "
            f"Got {tuple(theta.shape)}."
        )
    spatial = tuple(size[2:])
    axes = []
    for d, length in enumerate(spatial):
        i = K.cast(K.storage_index(theta, length), theta.dtype)
        if align_corners:
            i = i * (2 / (length - 1)) - 1 if length > 1 else i
        else:
            i = (i * 2 + 1) / length - 1
        shape = [1] * n
        shape[d] = length
        axes.append(K.expand(K.reshape(i, tuple(shape)), spatial))
    base = K.stack([*reversed(axes), K.ones_like(axes[0])], -1)
    rows = K.reshape(base, (1, product(spatial), n + 1))
    found = K.matmul(rows, K.transpose(theta, 1, 2))
    return K.reshape(found, (size[0], *spatial, n))
