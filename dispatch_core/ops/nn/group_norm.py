"""Normalisation of groups of channels, of each channel, and by neighbouring channels."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import FLOATING, REAL_NUMBERS
from dispatch_core._families.others import custom, normalisation
from dispatch_core._op import K, composite
from dispatch_core._shapes import whole
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn.norm import (
    by_running,
    channel_shape,
    check_batch,
    move_towards,
    norm_backward,
    norm_gradients,
    normalised,
    scaled,
    unbiased_variance,
)
from dispatch_core.ops.nn.windows import product

F = "nn.functional"


def _grouped(x: Any, groups: int) -> tuple[int, ...]:
    """(N, groups, C / groups, pixels)."""
    n, channels = x.shape[:2]
    return n, groups, channels // groups, product(x.shape[2:])


def _group_norm_gradients(
    K: Any, gs: Any, input: Any, num_groups: int, weight: Any, mean: Any, rstd: Any
) -> Any:
    grouped = _grouped(input, num_groups)
    shape = (grouped[0], num_groups, 1, 1)

    def shown(value: Any) -> Any:
        return None if value is None else K.reshape(value, shape)

    def centred(subtract: bool = True) -> Any:
        x = K.reshape(input, grouped)
        return x - shown(mean) if subtract else x

    def shared(g: Any) -> Any:
        found = K.group_norm_backward(g, input, num_groups, weight, mean, rstd)
        return K.reshape(found[0], grouped), found[1], found[2]

    stats = (gs[0], shown(gs[1]), shown(gs[2]))
    n = grouped[2] * grouped[3]
    found = norm_gradients(K, stats, shared, shown(mean), shown(rstd), centred, n)
    return K.reshape(found[0], tuple(input.shape)), found[1], found[2]


@composite(
    normalisation(
        samples=lambda make: [
            (make(2, 4, 3), 2, make(4), make(4), 1e-5),
            (make(2, 4, 2, 2), 4, None, None, 1e-5),
        ],
    ),
    grad={
        (
            "input",
            "weight",
            "bias",
        ): lambda K, gs, input, num_groups, weight, out1, out2: _group_norm_gradients(
            K, gs, input, num_groups, weight, out1, out2
        )
    },
    outputs=3,
    namespace="_",
)
def native_group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Any:
    """Groups of channels normalised; also mean and 1 / sqrt(var + eps), (N, groups)."""
    n = input.shape[0]
    unit, mean, rstd = normalised(K.reshape(input, _grouped(input, num_groups)), (2, 3), eps)
    unit = K.reshape(unit, tuple(input.shape))
    out = K.cast_like(scaled(unit, weight, bias, channel_shape(input)), input)
    return out, K.reshape(mean, (n, num_groups)), K.reshape(rstd, (n, num_groups))


def _group_backward_samples(make: Any) -> list[Any]:
    x = make(2, 4, 3)
    _, mean, rstd = K.native_group_norm(x, 2, None, None, 1e-5)
    return [(make(2, 4, 3), x, 2, None, mean, rstd), (make(2, 4, 3), x, 2, make(4), mean, rstd)]


@composite(custom(FLOATING, samples=_group_backward_samples), outputs=3, namespace="_")
def group_norm_backward(
    grad: Tensor,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None,
    mean: Tensor,
    rstd: Tensor,
) -> Any:
    """Gradients of `native_group_norm` for input, weight and bias."""
    grouped = _grouped(input, num_groups)
    shape = (grouped[0], num_groups, 1, 1)
    if weight is not None:
        weight = K.reshape(weight, (1, num_groups, grouped[2], 1))
    found = norm_backward(
        K.reshape(grad, grouped),
        K.reshape(input, grouped),
        weight,
        K.reshape(mean, shape),
        K.reshape(rstd, shape),
        (2, 3),
        (0, 3),
    )
    return K.reshape(found[0], tuple(input.shape)), *(K.reshape(f, (-1,)) for f in found[1:])


@composite(
    normalisation(
        samples=lambda make: [
            (make(2, 4, 3), 2),
            (make(2, 4), 4, make(4), make(4)),
            (make(2, 4, 2, 2), 1, make(4)),
        ],
    ),
    aliases=("nn.functional.group_norm",),
    method=False,
)
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Groups of channels of each image of (N, C, *) normalised (Wu and He 2018)."""
    check_groups(input, num_groups, weight, bias)
    if input.numel() == num_groups:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    return K.native_group_norm(input, num_groups, weight, bias, eps)[0]


def check_groups(
    input: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None
) -> None:
    """Raise where the channels of input are not so many groups, or parameters not as many as they."""
    if input.ndim < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.ndim}"
        )
    channels = input.shape[1]
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(input.shape)} and num_groups={num_groups}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(value.shape)} and input of shape "
                f"{list(input.shape)}"
            )


@composite(
    normalisation(
        apart=("running_mean", "running_var"),
        samples=lambda make: [
            (make(2, 3, 4),),
            (make(2, 3, 4), None, None, make(3), make(3)),
        ],
    ),
    namespace=F,
)
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each image normalised (Ulyanov et al. 2016); see `batch_norm`."""
    check_batch(
        "instance_norm",
        input,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "Expected running_mean and running_var to be defined when use_input_stats is false"
            )
        return by_running(input, running_mean, running_var, weight, bias, eps)
    n = product(input.shape[2:])
    if n == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    if not input.shape[1]:
        return K.clone(input)
    out, mean, rstd = K.native_group_norm(input, input.shape[1], weight, bias, eps)
    move_towards(running_mean, K.mean(mean.detach(), 0), momentum)
    if running_var is not None:
        variance = unbiased_variance(rstd.detach(), eps, n)
        move_towards(running_var, K.mean(variance, 0), momentum)
    return out


@composite(custom(REAL_NUMBERS, samples=lambda make: [(make(2, 5, 3), 3)]), namespace=F)
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divided by (k + alpha * mean of squares over `size` channels)^beta (Krizhevsky 2012)."""
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)"
        )
    if whole("size", size) < 1:
        raise RuntimeError(f"size should be greater than zero, but got {size}")
    n, channels = input.shape[:2]
    squares = K.reshape(K.square(input), (n, 1, channels, product(input.shape[2:])))
    squares = K.pad(squares, (0, 0, size // 2, (size - 1) // 2))
    mean = K.avg_pool(squares, (size, 1), (1, 1), (0, 0), False, True, None)
    return input / K.pow(K.reshape(mean, tuple(input.shape)) * alpha + k, beta)
