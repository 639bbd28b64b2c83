"""Normalisation by the statistics of a batch or of the last dimensions.

Each has an operator that returns the statistics too, and one for its gradient. In the gradient's
body the statistics count as variables of their own: their gradients go back through the first
operator, so that derivatives of any order are complete.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import finfo, float32
from dispatch_core._families.base import FLOATING, INEXACT
from dispatch_core._families.others import custom, normalisation
from dispatch_core._op import K, composite
from dispatch_core._shapes import wholes
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn.windows import product

F = "nn.functional"


def check_batch(name: str, input: Tensor, **parameters: Tensor | None) -> None:
    """Raise where input is not (N, C, *), or a parameter has not one element for each channel."""
    if input.ndim < 2:
        raise RuntimeError(
            f"{name}(): expected an input of at least 2 dimensions (N, C, *), but got shape "
            f"{list(input.shape)}"
        )
    channels = input.shape[1]
    for what, value in parameters.items():
        if value is not None and value.shape != (channels,) and value.numel() != channels:
            raise RuntimeError(
                f"{name}(): {what} should contain {channels} elements, one for each channel of "
                f"input, not {value.numel()}"
            )


def _statistics_dtype(x: Tensor) -> Tensor:
    """Half precision is summed in float32."""
    return K.cast(x, float32) if x.dtype.itemsize < 4 else x


def normalised(input: Tensor, dims: Any, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(var + eps), mean and 1 / sqrt(var + eps), reduced dimensions kept."""
    x = _statistics_dtype(input)
    mean = K.mean(x, dims, True)
    centred = x - mean
    rstd = K.rsqrt(K.mean(K.square(centred), dims, True) + eps)
    return centred * rstd, mean, rstd


def scaled(x: Tensor, weight: Any, bias: Any, shape: Any) -> Tensor:
    """x * weight + bias, both shown in `shape` and both optional."""
    if weight is not None:
        x = x * K.reshape(weight, shape)
    return x if bias is None else x + K.reshape(bias, shape)


def norm_gradients(K: Any, gs: Any, shared: Any, mean: Any, rstd: Any, centred: Any, n: int) -> Any:
    """The gradients of input, weight and bias from those of out, mean and 1 / std.

    `shared(g)` is the operator for the first; `centred()` is x - mean, `n` how many elements are
    averaged.
    """
    found = None if gs[0] is None else shared(gs[0])
    more = None
    if gs[1] is not None:
        more = gs[1] / n
    if gs[2] is not None:
        slope = -gs[2] * rstd * rstd * rstd / n
        part = slope * centred()
        more = part if more is None else part + more
    if more is None:
        return found
    more = K.cast_like(K.expand(more, tuple(centred().shape)), centred(False))
    return (more, None, None) if found is None else (found[0] + more, found[1], found[2])


def norm_backward(
    grad: Tensor, input: Tensor, weight: Any, mean: Tensor, rstd: Tensor, dims: Any, over: Any
) -> tuple[Any, ...]:
    """Gradients for input, weight and bias; `weight`, `mean` and `rstd` are shown broadcastable.

    `dims` are those that were averaged over, `over` those that share a weight.
    """
    g, x = _statistics_dtype(grad), _statistics_dtype(input)
    unit = (x - mean) * rstd
    weighted = g if weight is None else g * weight
    level = K.mean(weighted, dims, True)
    slope = K.mean(weighted * unit, dims, True)
    grad_input = (weighted - level - unit * slope) * rstd
    grads = (grad_input, K.sum(g * unit, over), K.sum(g, over))
    return tuple(K.cast_like(each, input) for each in grads)


# -- batch norm ------------------------------------------------------------------------------------


def channel_shape(input: Any) -> tuple[int, ...]:
    """The shape in which channel values broadcast to (N, C, *)."""
    return (1, -1) + (1,) * (len(input.shape) - 2)


def _all_but_channels(input: Any) -> tuple[int, ...]:
    return (0, *range(2, len(input.shape)))


def _batch_norm_gradients(K: Any, gs: Any, input: Any, weight: Any, mean: Any, rstd: Any) -> Any:
    shape = channel_shape(input)

    def shown(value: Any) -> Any:
        return None if value is None else K.reshape(value, shape)

    return norm_gradients(
        K,
        (gs[0], shown(gs[1]), shown(gs[2])),
        lambda g: K.batch_norm_backward(g, input, weight, mean, rstd),
        shown(mean),
        shown(rstd),
        lambda centred=True: input - shown(mean) if centred else input,
        product(input.shape) // max(input.shape[1], 1),
    )


@composite(
    normalisation(
        samples=lambda make: [
            (make(4, 3), make(3), make(3), 1e-5),
            (make(2, 3, 2, 2), None, None, 1e-5),
        ],
    ),
    grad={
        ("input", "weight", "bias"): lambda K, gs, input, weight, out1, out2: _batch_norm_gradients(
            K, gs, input, weight, out1, out2
        )
    },
    outputs=3,
    namespace="_",
)
def native_batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Any:
    """Each channel of (N, C, *) normalised; also the mean and 1 / sqrt(var + eps), both (C)."""
    unit, mean, rstd = normalised(input, _all_but_channels(input), eps)
    out = K.cast_like(scaled(unit, weight, bias, channel_shape(input)), input)
    return out, K.reshape(mean, (-1,)), K.reshape(rstd, (-1,))


def _batch_backward_samples(make: Any) -> list[Any]:
    x = make(3, 2, 4)
    _, mean, rstd = K.native_batch_norm(x, None, None, 1e-5)
    return [(make(3, 2, 4), x, None, mean, rstd), (make(3, 2, 4), x, make(2), mean, rstd)]


@composite(custom(FLOATING, samples=_batch_backward_samples), outputs=3, namespace="_")
def batch_norm_backward(
    grad: Tensor, input: Tensor, weight: Tensor | None, mean: Tensor, rstd: Tensor
) -> Any:
    """Gradients of `native_batch_norm` for input, weight and bias."""
    shape, dims = channel_shape(input), _all_but_channels(input)
    weight = None if weight is None else K.reshape(weight, shape)
    mean, rstd = K.reshape(mean, shape), K.reshape(rstd, shape)
    return norm_backward(grad, input, weight, mean, rstd, dims, dims)


def unbiased_variance(rstd: Tensor, eps: float, n: int) -> Tensor:
    """The variance over n elements from 1 / sqrt(biased variance + eps)."""
    return (1 / K.square(rstd) - eps) * (n / max(n - 1, 1))


def move_towards(running: Tensor | None, value: Tensor, momentum: float) -> None:
    """running += momentum * (value - running), in place and without history."""
    if running is not None:
        old = running.detach()
        old.mul_(1 - momentum).add_(K.cast(value.detach(), old.dtype) * momentum)


def _normed_samples(make: Any) -> list[Any]:
    x, y = make(3, 2, 4), make(4, 2)
    mean, var = make(2), make(2, low=0.5, high=2)
    return [
        (x, mean, var),
        (y, mean, var, make(2), make(2)),
        (x, None, None, make(2), make(2), True),
        (y, None, None, None, None, True),
    ]


@composite(
    normalisation(samples=_normed_samples),
    namespace=F,
)
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of (N, C, *) normalised (Ioffe and Szegedy 2015).

    In training by its own statistics, towards which the running ones are moved in place; else by
    the running ones. ValueError for one value a channel in training.
    """
    check_batch(
        "batch_norm",
        input,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    if eps < 0 or (training and eps == 0):
        least = "positive during training" if training else "non-negative"
        raise ValueError(f"batch_norm eps must be {least}, but got {eps}")
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "Expected running_mean and running_var to be defined when training=False"
            )
        return by_running(input, running_mean, running_var, weight, bias, eps)
    n = product(input.shape) // max(input.shape[1], 1)
    if n == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    out, mean, rstd = K.native_batch_norm(input, weight, bias, eps)
    move_towards(running_mean, mean, momentum)
    if running_var is not None:
        move_towards(running_var, unbiased_variance(rstd.detach(), eps, n), momentum)
    return out


def by_running(
    input: Tensor, mean: Tensor, var: Tensor, weight: Any, bias: Any, eps: float
) -> Tensor:
    """Normalised by given statistics, as one multiplication and one addition."""
    scale = K.rsqrt(var + eps)
    if weight is not None:
        scale = scale * weight
    offset = -mean * scale
    if bias is not None:
        offset = offset + bias
    shape = channel_shape(input)
    scale, offset = (K.cast_like(K.reshape(v, shape), input) for v in (scale, offset))
    return input * scale + offset


# -- layer norm ------------------------------------------------------------------------------------


def _last(input: Any, normalized_shape: Any) -> tuple[int, ...]:
    return tuple(range(-len(normalized_shape), 0))


@composite(
    normalisation(
        samples=lambda make: [
            (make(2, 3, 4), (3, 4), make(3, 4), make(3, 4), 1e-5),
            (make(3, 5), (5,), None, None, 1e-5),
        ],
    ),
    grad={
        (
            "input",
            "weight",
            "bias",
        ): lambda K, gs, input, normalized_shape, weight, out1, out2: norm_gradients(
            K,
            gs,
            lambda g: K.layer_norm_backward(g, input, normalized_shape, weight, out1, out2),
            out1,
            out2,
            lambda centred=True: input - out1 if centred else input,
            product(normalized_shape),
        )
    },
    outputs=3,
    namespace="_",
)
def native_layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Any:
    """Normalised over the last dimensions; also mean and 1 / sqrt(var + eps), (*, 1, ..., 1)."""
    unit, mean, rstd = normalised(input, _last(input, normalized_shape), eps)
    return K.cast_like(scaled(unit, weight, bias, normalized_shape), input), mean, rstd


def _layer_backward_samples(make: Any) -> list[Any]:
    x = make(3, 4)
    _, mean, rstd = K.native_layer_norm(x, (4,), None, None, 1e-5)
    return [(make(3, 4), x, (4,), None, mean, rstd), (make(3, 4), x, (4,), make(4), mean, rstd)]


@composite(custom(FLOATING, samples=_layer_backward_samples), outputs=3, namespace="_")
def layer_norm_backward(
    grad: Tensor,
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None,
    mean: Tensor,
    rstd: Tensor,
) -> Any:
    """Gradients of `native_layer_norm` for input, weight and bias."""
    over = tuple(range(input.ndim - len(normalized_shape)))
    dims = _last(input, normalized_shape)
    if over:
        return norm_backward(grad, input, weight, mean, rstd, dims, over)
    found = norm_backward(K.unsqueeze(grad, 0), K.unsqueeze(input, 0), weight, mean, rstd, dims, 0)
    return K.squeeze(found[0], 0), found[1], found[2]


def _as_shape(normalized_shape: Any) -> tuple[int, ...]:
    if isinstance(normalized_shape, int):
        return (normalized_shape,)
    return wholes("normalized_shape", normalized_shape)


def check_normalized(input: Tensor, shape: Any, **parameters: Any) -> None:
    """Raise where input does not end in a shape, or a parameter has another."""
    if tuple(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape "
            f"{['*', *shape]}, but got input of size{list(input.shape)}"
        )
    for name, value in parameters.items():
        if value is not None and tuple(value.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(value.shape)} and normalized_shape = {list(shape)}"
            )


@composite(
    normalisation(
        samples=lambda make: [
            (make(3, 4), (4,)),
            (make(2, 3, 4), (3, 4), make(3, 4), make(3, 4)),
            (make(3, 4), [4], make(4)),
        ],
    ),
    aliases=("nn.functional.layer_norm",),
    method=False,
)
def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalised over the last dimensions, which have `normalized_shape` (Ba et al. 2016)."""
    shape = _as_shape(normalized_shape)
    check_normalized(input, shape, weight=weight, bias=bias)
    return K.native_layer_norm(input, shape, weight, bias, eps)[0]


@composite(
    custom(INEXACT, samples=lambda make: [(make(2, 3, 4), (4,), make(4)), (make(3, 4), (3, 4))]),
    aliases=("nn.functional.rms_norm",),
    method=False,
)
def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divided by the root mean square over the last dimensions (Zhang and Sennrich 2019)."""
    shape = _as_shape(normalized_shape)
    check_normalized(input, shape, weight=weight)
    x = _statistics_dtype(input)
    eps = finfo(x.dtype).eps if eps is None else eps
    scaled = x * K.rsqrt(K.mean(K.square(x), _last(input, shape), True) + eps)
    return K.cast_like(scaled if weight is None else scaled * weight, input)
