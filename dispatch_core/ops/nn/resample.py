"""Moving and mixing pixels: padding, resizing, unfolding, shuffling."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dtypes import float32, float64, int64
from dispatch_core._families.base import FLOATING, INEXACT
from dispatch_core._families.others import custom, movement
from dispatch_core._op import K, composite
from dispatch_core._shapes import pad_sides, whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn._sizes import ntuple
from dispatch_core.ops.nn.windows import product, window_count

F = "nn.functional"


# -- padding ---------------------------------------------------------------------------------------


@composite(
    movement(
        samples=lambda make: [(make(2, 3), ((0, 1), (2, 0)), 0.0), (make(4), ((-1, 2),), 1.5)]
    ),
    grad={
        "input": lambda K, g, sides: K.pad_constant(
            g, tuple((-before, -after) for before, after in sides), 0.0
        )
    },
    namespace="_",
)
def pad_constant(input: Tensor, sides: Any, value: float) -> Tensor:
    """Each dimension extended by `value` before and after, or cut where a number is negative."""
    if any(before < 0 or after < 0 for before, after in sides):
        for d, (before, after) in enumerate(sides):
            if input.shape[d] + min(before, 0) + min(after, 0) < 0:
                raise RuntimeError(
                    f"pad(): length must be non-negative, but dimension {d} of size "
                    f"{input.shape[d]} cannot be cut by {max(-before, 0)} and {max(-after, 0)}"
                )
        cut = tuple(
            slice(max(-before, 0), size - max(-after, 0))
            for (before, after), size in zip(sides, input.shape, strict=True)
        )
        input = K.clone(K.basic_index(input, cut))
        sides = tuple((max(before, 0), max(after, 0)) for before, after in sides)
    if not any(before or after for before, after in sides):
        return K.clone(input)
    shape = tuple(b + n + a for (b, a), n in zip(sides, input.shape, strict=True))
    at = tuple(slice(b, b + n) for (b, _), n in zip(sides, input.shape, strict=True))
    if not value:
        return K.basic_index_backward(input, shape, at)
    out = K.new_full(input, shape, value)
    K.basic_index(out, at).copy_(input)
    return out


@composite(
    custom(
        samples=lambda make: [
            (make(2, 3, 4), (1, 2)),
            (make(2, 3, 4), (1, 2), "reflect"),
            (make(1, 2, 3, 4), (1, 0, 2, 1), "replicate"),
            (make(1, 2, 3, 4), (1, 2, 0, 1), "circular"),
        ]
    ),
    namespace=F,
)
def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """The last dimensions extended; `pad` has two numbers a dimension, those of the last one first.

    Modes "constant" (any number of dimensions, negative numbers cut), "reflect", "replicate" and
    "circular" (one to three dimensions of (N, C, *) or (C, *)).
    """
    if isinstance(pad, Tensor):
        raise TypeError("pad(): argument 'pad' (position 2) must be tuple of ints, not Tensor")
    sides = pad_sides(pad, input.ndim)
    if mode == "constant":
        fill = 0.0 if value is None else value
        return K.pad_constant(input, sides, fill)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    dims = len(pad) // 2
    if dims > 3 or input.ndim not in (dims + 1, dims + 2):
        raise NotImplementedError(
            "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now; got "
            f"input of {input.ndim} dimensions and {len(pad)} paddings"
        )
    for d, (before, after) in enumerate(sides):
        if before or after:
            input = _extended(input, d, before, after, mode)
    return input


def _extended(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    size = input.shape[dim]
    limit = {"reflect": size - 1, "circular": size}.get(mode)
    if limit is not None and max(before, after) > limit:
        words = (
            f"Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
            if mode == "reflect"
            else "Padding value causes wrapping around more than once."
        )
        raise RuntimeError(words)
    if not size:
        raise RuntimeError(
            f"Expected non-zero sizes but for the batch, but got input of {list(input.shape)}"
        )
    out = before + size + after
    if out < 0:
        raise RuntimeError(
            f"Negative padding value is resulting in an empty dimension: ({before}, {after}) at "
            f"dimension {dim} of input {list(input.shape)}"
        )
    at = K.storage_index(input, out) - before
    if mode == "circular":  # what negative numbers cut off is not wrapped around either
        first, kept = max(-before, 0), max(size - max(-before, 0) - max(-after, 0), 1)
        at = K.remainder(at - first, kept) + first
    elif mode == "replicate":
        at = K.minimum(K.maximum(at, 0), size - 1)
    else:
        at = (size - 1) - K.abs((size - 1) - K.abs(at))
    return K.index_select(input, dim, at)


# -- patches ---------------------------------------------------------------------------------------


def _patches(
    n: int, sizes: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[Any, ...]:
    kernel, dilation = ntuple("kernel_size", kernel_size, n), ntuple("dilation", dilation, n)
    padding, stride = ntuple("padding", padding, n), ntuple("stride", stride, n)
    for name, values in (("kernel size", kernel), ("dilation", dilation), ("stride", stride)):
        if min(values) < 1:
            raise RuntimeError(f"{name} should be greater than zero, but got {values}")
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got {padding}")
    geometry = zip(sizes, kernel, stride, padding, dilation, strict=True)
    out = tuple(window_count(*each) for each in geometry)
    if min(out) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(sizes)}, kernel_size={kernel}, "
            f"dilation={dilation}, "
            f"padding={padding}, stride={stride}, calculated shape of the array of sliding "
            "blocks as "
            f"{out}, but its components must be at least one."
        )
    return kernel, stride, padding, dilation, out


@composite(
    custom(samples=lambda make: [(make(1, 2, 4, 5), (2, 3)), (make(2, 3, 4), 2, 1, 1, 2)]),
    namespace=F,
)
def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The patches of an image as columns: (N, C, H, W) -> (N, C * kernel elements, patches)."""
    if input.ndim not in (3, 4):
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(input.shape)}"
        )
    x = input if input.ndim == 4 else K.unsqueeze(input, 0)
    geometry = _patches(2, x.shape[2:], kernel_size, dilation, padding, stride)
    found = K.windows(x, *geometry)
    found = K.reshape(found, (x.shape[0], x.shape[1] * found.shape[2], found.shape[3]))
    return found if input.ndim == 4 else K.squeeze(found, 0)


@composite(
    custom(
        INEXACT, samples=lambda make: [(make(1, 8, 6), (3, 4), (2, 2)), (make(4, 6), (3, 4), 2)]
    ),
    namespace=F,
)
def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """The adjoint of `unfold`: columns added into an image (N, C, *output_size)."""
    if input.ndim not in (2, 3):
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            "non-zero "
            f"dimensions for input, but got: {list(input.shape)}"
        )
    size = ntuple("output_size", output_size, 2)
    geometry = _patches(2, size, kernel_size, dilation, padding, stride)
    x = input if input.ndim == 3 else K.unsqueeze(input, 0)
    elements, count = product(geometry[0]), product(geometry[-1])
    if x.shape[1] % elements or x.shape[2] != count:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={geometry[0]}: expected input of (N, "
            "channels * "
            f"{elements}, {count}), but got {list(input.shape)}"
        )
    n, channels = x.shape[0], x.shape[1] // elements
    x = K.reshape(x, (n, channels, elements, count))
    found = K.fold_windows(x, (n, channels, *size), *geometry)
    return found if input.ndim == 3 else K.squeeze(found, 0)


# -- shuffles --------------------------------------------------------------------------------------


@composite(
    custom(samples=lambda make: [(make(2, 8, 3, 2), 2)]),
    aliases=("nn.functional.pixel_shuffle",),
    method=False,
)
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels turned into pixels (Shi et al. 2016): (*, C r^2, H, W) -> (*, C, H r, W r)."""
    r = whole("upscale_factor", upscale_factor)
    if input.ndim < 3:
        raise RuntimeError(
            "pixel_shuffle expects input to have at least 3 dimensions, but got input with "
            f"{input.ndim} dimension(s)"
        )
    *lead, channels, h, w = input.shape
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}"
        )
    x = K.reshape(input, (*lead, channels // (r * r), r, r, h, w))
    n = len(lead)
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return K.reshape(K.permute(x, order), (*lead, channels // (r * r), h * r, w * r))


@composite(
    custom(samples=lambda make: [(make(2, 2, 4, 6), 2)]),
    aliases=("nn.functional.pixel_unshuffle",),
    method=False,
)
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Pixels turned into channels: (*, C, H r, W r) -> (*, C r^2, H, W)."""
    r = whole("downscale_factor", downscale_factor)
    if input.ndim < 3:
        raise RuntimeError(
            "pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
            f"{input.ndim} dimension(s)"
        )
    *lead, channels, h, w = input.shape
    if r <= 0 or h % r or w % r:
        raise RuntimeError(
            "pixel_unshuffle expects height and width to be divisible by downscale_factor, but "
            f"input of size {list(input.shape)} is not divisible by {r}"
        )
    x = K.reshape(input, (*lead, channels, h // r, r, w // r, r))
    n = len(lead)
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return K.reshape(K.packed(K.permute(x, order)), (*lead, channels * r * r, h // r, w // r))


@composite(
    custom(samples=lambda make: [(make(2, 6, 3), 3)]),
    aliases=("nn.functional.channel_shuffle",),
    method=False,
)
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (N, C, *) dealt out to `groups` groups in turn."""
    if input.ndim < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes "
            f"{list(input.shape)}"
        )
    groups = whole("groups", groups)
    n, channels, *rest = input.shape
    if groups <= 0 or channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} "
            "groups."
        )
    x = K.reshape(input, (n, groups, channels // groups, *rest))
    return K.reshape(K.transpose(x, 1, 2), tuple(input.shape))


# -- resizing --------------------------------------------------------------------------------------

_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
_MODES = ("nearest", "nearest-exact", "area", "bicubic", *_LINEAR)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(1, 2, 3), 5),
            (make(1, 2, 3, 4), (5, 2), None, "bilinear"),
            (make(1, 2, 4, 4), None, 1.5, "bicubic", True),
        ],
    ),
    namespace=F,
)
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """(N, C, *spatial) resized to `size`, or by `scale_factor`.

    Modes "nearest", "nearest-exact", "area", "linear" (N, C, L), "bilinear" and "bicubic" (N, C, H,
    W), "trilinear" (N, C, D, H, W); each of the last four acts on one dimension after the other.
    """
    n = input.ndim - 2
    sizes = tuple(input.shape[2:])
    out, scales = _target_size(sizes, size, scale_factor, recompute_scale_factor)
    _check_mode(n, mode, align_corners, antialias)
    if mode == "area":
        return getattr(K, f"adaptive_avg_pool{n}d")(input, out)
    if min(*sizes, *out) < 1:
        raise RuntimeError(
            "Input and output sizes should be greater than 0, but got input sizes "
            f"{list(sizes)} and output sizes {list(out)}"
        )
    if not input.shape[1]:
        raise RuntimeError(
            f"Non-empty {input.ndim}D data tensor expected but got a tensor with sizes "
            f"{list(input.shape)}"
        )
    for d, (old, new, scale) in enumerate(zip(sizes, out, scales, strict=True), 2):
        if mode.startswith("nearest"):
            if old != new or scale is not None:
                input = K.index_select(input, d, _nearest(input, old, new, scale, mode))
        else:
            step = _step(old, new, scale, bool(align_corners))
            input = _mixed(input, d, new, step, mode, bool(align_corners), antialias)
    return input


def _check_mode(n: int, mode: str, align_corners: Any, antialias: bool) -> None:
    if mode not in _MODES:
        raise NotImplementedError(
            f"Input Error: mode must be one of {' | '.join(_MODES)}, got {mode}"
        )
    if mode in ("nearest", "nearest-exact", "area") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | "
            "bilinear | "
            "bicubic | trilinear"
        )
    wanted = 2 if mode == "bicubic" else _LINEAR.get(mode, n)
    if n != wanted or not 1 <= n <= 3:
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported, and {mode} mode for "
            f"{wanted + 2}D input; got {n + 2}D input"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D "
            "tensor as input"
        )


def _target_size(
    sizes: Any, size: Any, scale_factor: Any, recompute: Any
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The wanted size, and the factors by which coordinates are scaled where they were given."""
    n = len(sizes)
    if (size is None) == (scale_factor is None):
        raise ValueError(
            "only one of size or scale_factor should be defined, and one of them has to be"
        )
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        out = tuple(size) if isinstance(size, (tuple, list)) else (size,) * n
        if len(out) != n:
            raise ValueError(
                f"Input and output must have the same number of spatial dimensions, but got input "
                f"with spatial dimensions of {list(sizes)} and output size of {size}."
            )
        return tuple(int(o) for o in out), (None,) * n
    factors = (
        tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * n
    )
    if len(factors) != n:
        raise ValueError(
            f"Input and scale_factor must have the same number of spatial dimensions, but got "
            f"input with spatial dimensions of {list(sizes)} and scale_factor of shape {scale_factor}."
        )
    out = tuple(math.floor(s * f) for s, f in zip(sizes, factors, strict=True))
    return out, (None,) * n if recompute else tuple(float(f) for f in factors)


def _nearest(like: Tensor, old: int, new: int, scale: float | None, mode: str) -> Any:
    """For each output place the input place next to it (below it, in mode "nearest")."""
    step = old / new if scale is None else 1 / scale  # scale > 0, or there would be no output
    at = K.cast(K.storage_index(like, new), float32)
    if mode == "nearest-exact":
        at = at + 0.5
    return K.minimum(K.cast(K.floor(at * step), int64), old - 1)


def _step(old: int, new: int, scale: float | None, align_corners: bool) -> float:
    """How far neighbours of the output lie apart in the input."""
    if align_corners:
        return (old - 1) / (new - 1) if new > 1 else 0.0
    return old / new if scale is None or scale <= 0 else 1 / scale


def _mixed(
    input: Tensor, dim: int, new: int, step: float, mode: str, align_corners: bool, antialias: bool
) -> Any:
    """One dimension resized: each output place is a weighted sum of the input places around it."""
    old = input.shape[dim]
    cubic = mode == "bicubic"
    stretch = max(step, 1.0) if antialias else 1.0
    reach = (2 if cubic else 1) * stretch
    place = K.cast(K.storage_index(input, new), float64 if input.dtype is float64 else float32)
    by_corners = align_corners and not antialias
    centre = place * step if by_corners else (place + 0.5) * step - 0.5
    if not (cubic or align_corners or antialias):
        centre = K.maximum(centre, 0.0)
    first = K.floor(centre - reach) + 1
    taps = [first + i for i in range(math.ceil(2 * reach) + (1 if antialias else 0))]
    shares = [
        tap_weight((tap - centre) / stretch, cubic, -0.5 if antialias else -0.75) for tap in taps
    ]
    if antialias:
        inside = [K.bitwise_and(K.ge(tap, 0), K.lt(tap, old)) for tap in taps]
        shares = [K.where(i, share, 0.0) for i, share in zip(inside, shares, strict=True)]
        total = K.sum(K.stack(shares), 0)
        shares = [share / total for share in shares]
    shape = (new,) + (1,) * (input.ndim - 1 - dim)
    out: Any = None
    for tap, share in zip(taps, shares, strict=True):
        at = K.cast(K.minimum(K.maximum(tap, 0), old - 1), int64)
        part = K.index_select(input, dim, at) * K.cast(K.reshape(share, shape), input.dtype)
        out = part if out is None else out + part
    return out


def tap_weight(x: Any, cubic: bool, a: float) -> Any:
    """The weight at distance x: a triangle, or Keys' cubic convolution kernel (1981)."""
    x = K.abs(x)
    if not cubic:
        return K.maximum(1 - x, 0.0)
    near = ((x * (a + 2) - (a + 3)) * x) * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return K.where(K.gt(x, 1), K.where(K.ge(x, 2), 0.0, far), near)
