"""PyTorch's internal names: norms that return their statistics, grid samplers by numbers of modes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.inplace import into
from dispatch_core._dispatcher.kinds import telling
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite
from dispatch_core._shapes import wholes
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn import pooling  # noqa: F401  it declares the pools
from dispatch_core.ops.nn.group_norm import check_groups
from dispatch_core.ops.nn.norm import check_batch, check_normalized, move_towards, unbiased_variance
from dispatch_core.ops.nn.windows import product

F = "nn.functional"

# -- norms -----------------------------------------------------------------------------------------


def _as_weights(found: Any, input: Tensor, weight: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Statistics have the dtype of the weights, though they are computed in float32."""
    like = input if weight is None else weight
    return found[0], K.cast_like(found[1], like), K.cast_like(found[2], like)


@public("")
@telling
def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, *, out: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`nn.functional.batch_norm`, and in training the mean and 1 / sqrt(var + eps); else nothing."""
    if training:
        check_batch("native_batch_norm", input, weight=weight, bias=bias)
        found = K.native_batch_norm(input, weight, bias, eps)
        move_towards(running_mean, found[1], momentum)
        if running_var is not None:
            n = product(input.shape) // max(input.shape[1], 1)
            move_towards(running_var, unbiased_variance(found[2].detach(), eps, n), momentum)
        found = _as_weights((found[0], found[1].detach(), found[2].detach()), input, weight)
    else:
        empty = K.new_zeros(input, (0,))
        stats = running_mean, running_var
        found = K.batch_norm(input, *stats, weight, bias, False, momentum, eps), empty, empty
    return found if out is None else into(K.native_batch_norm.op, None, (found,), out)


@public("")
@telling
def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`nn.functional.group_norm` of (N, C, *), and the groups' means and 1 / sqrt(var + eps)."""
    if input.numel() != N * C * HxW:
        raise RuntimeError(
            f"Expected input to have {N} * {C} * {HxW} elements, but got shape {list(input.shape)}"
        )
    check_groups(input, group, weight, bias)
    return _as_weights(K.native_group_norm(input, group, weight, bias, eps), input, weight)


@public("")
@telling
def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`nn.functional.layer_norm`, and the means and 1 / sqrt(var + eps), averaged dimensions kept."""
    shape = wholes("normalized_shape", normalized_shape)
    check_normalized(input, shape, weight=weight, bias=bias)
    out, mean, rstd = K.native_layer_norm(input, shape, weight, bias, eps)
    return _as_weights((out, mean.detach(), rstd.detach()), input, weight)


# -- grid samplers ---------------------------------------------------------------------------------

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _grids(*sizes: int) -> Any:
    return custom(
        FLOATING,
        samples=lambda make: [
            (
                make(1, 2, *sizes),
                make(1, *(2 for _ in sizes), len(sizes), low=-0.8, high=0.8),
                0,
                1,
                False,
            )
        ],
    )


def _sampled(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    for name, mode, known in (
        ("interpolation_mode", interpolation_mode, _MODES),
        ("padding_mode", padding_mode, _PADDINGS),
    ):
        if mode not in range(len(known)):
            said = ", ".join(f"{i} {each}" for i, each in enumerate(known))
            raise RuntimeError(f"grid_sampler(): {name} must be one of {said}, but got {mode}")
    return K.grid_sample(
        input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], align_corners
    )


@composite(_grids(3, 2), method=False, aliases=("grid_sampler",))
def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`nn.functional.grid_sample` with numbered modes.

    Modes 0 bilinear, 1 nearest, 2 bicubic; paddings 0 zeros, 1 border, 2 reflection.
    """
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


@composite(_grids(2, 3, 2), method=False)
def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`nn.functional.grid_sample` of volumes with numbered modes; see `grid_sampler_2d`."""
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


# -- old names of interpolate ------------------------------------------------------------------------


def _upsampled(name: str, *args: Any) -> Tensor:
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=3,
    )
    found: Tensor = K.interpolate(*args)
    return found


@public(f"{F}.upsample")
def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """Deprecated: `interpolate`."""
    return _upsampled("upsample", input, size, scale_factor, mode, align_corners)


@public(f"{F}.upsample_nearest")
def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Deprecated: `interpolate` by the nearest neighbour."""
    return _upsampled("upsample_nearest", input, size, scale_factor, "nearest")


@public(f"{F}.upsample_bilinear")
def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Deprecated: `interpolate` between four neighbours, with corners aligned."""
    return _upsampled("upsample_bilinear", input, size, scale_factor, "bilinear", True)


# -- a linear map and its loss -----------------------------------------------------------------------


def _scored(make: Any) -> list[Any]:
    target = make(4, low=0, high=3, integer=True)
    return [
        (make(4, 5), make(3, 5), target),
        (make(4, 5), make(3, 5), target, {"linear_bias": make(3), "label_smoothing": 0.1}),
        (make(2, 5), make(3, 2, 5), make(2, 2, low=0, high=3, integer=True), {"reduction": "sum"}),
    ]


@composite(custom(FLOATING, apart=("target",), constant=("weight",), samples=_scored), namespace=F)
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """`cross_entropy` of the scores `linear(input, linear_weight, linear_bias)`.

    linear_weight (C, E) or (C, d1, ..., E), input (N, E) or (E). `options`, by which PyTorch saves
    memory, change nothing here.
    """
    classes, *out, features = linear_weight.shape
    if input.ndim not in (1, 2) or (out and input.ndim == 1):
        raise RuntimeError(
            "linear_cross_entropy: expected input of shape (N, in_features) or, for "
            f"two-dimensional linear_weight, (in_features), but got {list(input.shape)}"
        )
    shape = (*input.shape[:-1], classes, *out)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if out:
        linear_weight = K.reshape(linear_weight, (classes * math.prod(out), features))
        if linear_bias is not None:
            linear_bias = K.reshape(linear_bias, (-1,))
    scores = K.reshape(K.linear(input, linear_weight, linear_bias), shape)
    ignored = -100 if ignore_index is None else ignore_index
    return K.cross_entropy(
        scores,
        target,
        weight,
        ignore_index=ignored,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


# -- pools in the package itself ---------------------------------------------------------------------

for _pool in ("avg_pool1d", "adaptive_avg_pool1d", "max_pool1d", "max_pool2d", "max_pool3d"):
    public("")(getattr(K, _pool))
public("")(K.max_pool1d_with_indices)
public(".adaptive_max_pool1d")(K.adaptive_max_pool1d_with_indices)
