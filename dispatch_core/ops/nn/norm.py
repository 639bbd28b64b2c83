"""Normalisation by the statistics of a batch, of the last dimensions or of groups of channels.

Each has an operator that returns the statistics too, and one for its gradient. In the gradient's
body the statistics count as variables of their own: their gradients go back through the first
operator, so that derivatives of any order are complete.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import finfo, float32
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.nn.windows import product

F = "nn.functional"


def _statistics_dtype(x: Tensor) -> Tensor:
    """Half precision is summed in float32."""
    return K.cast(x, float32) if x.dtype.itemsize < 4 else x


def _normalised(input: Tensor, dims: Any, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(var + eps), mean and 1 / sqrt(var + eps), reduced dimensions kept."""
    x = _statistics_dtype(input)
    mean = K.mean(x, dims, True)
    centred = x - mean
    rstd = K.rsqrt(K.mean(K.square(centred), dims, True) + eps)
    return centred * rstd, mean, rstd


def _affine(x: Tensor, weight: Any, bias: Any, shape: Any) -> Tensor:
    """x * weight + bias, both shown in `shape` and both optional."""
    if weight is not None:
        x = x * K.reshape(weight, shape)
    return x if bias is None else x + K.reshape(bias, shape)


def _norm_gradients(
    K: Any, gs: Any, shared: Any, mean: Any, rstd: Any, centred: Any, n: int
) -> Any:
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


def _backward(
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


def _channel_shape(input: Any) -> tuple[int, ...]:
    return (1, -1) + (1,) * (len(input.shape) - 2)


def _all_but_channels(input: Any) -> tuple[int, ...]:
    return (0, *range(2, len(input.shape)))


def _batch_norm_gradients(K: Any, gs: Any, input: Any, weight: Any, mean: Any, rstd: Any) -> Any:
    shape = _channel_shape(input)

    def shown(value: Any) -> Any:
        return None if value is None else K.reshape(value, shape)

    return _norm_gradients(
        K,
        (gs[0], shown(gs[1]), shown(gs[2])),
        lambda g: K.batch_norm_backward(g, input, weight, mean, rstd),
        shown(mean),
        shown(rstd),
        lambda centred=True: input - shown(mean) if centred else input,
        product(input.shape) // max(input.shape[1], 1),
    )


@composite(
    custom(
        FLOATING,
        samples=lambda make: [
            (make(4, 3), make(3), make(3), 1e-5),
            (make(2, 3, 2, 2), None, None, 1e-5),
        ],
    ),
    grad={
        ("input", "weight", "bias"): lambda K, gs, input, weight, outs: _batch_norm_gradients(
            K, gs, input, weight, outs[1], outs[2]
        )
    },
    outputs=3,
    namespace="_",
)
def native_batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Any:
    """Each channel of (N, C, *) normalised; also the mean and 1 / sqrt(var + eps), both (C)."""
    unit, mean, rstd = _normalised(input, _all_but_channels(input), eps)
    out = K.cast_like(_affine(unit, weight, bias, _channel_shape(input)), input)
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
    shape, dims = _channel_shape(input), _all_but_channels(input)
    weight = None if weight is None else K.reshape(weight, shape)
    mean, rstd = K.reshape(mean, shape), K.reshape(rstd, shape)
    return _backward(grad, input, weight, mean, rstd, dims, dims)


def _unbiased_variance(rstd: Tensor, eps: float, n: int) -> Tensor:
    return (1 / K.square(rstd) - eps) * (n / max(n - 1, 1))


def _update(running: Tensor | None, value: Tensor, momentum: float) -> None:
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
    custom(FLOATING, apart=("running_mean", "running_var"), samples=_normed_samples),
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
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "Expected running_mean and running_var to be defined when training=False"
            )
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    n = product(input.shape) // max(input.shape[1], 1)
    if n == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    out, mean, rstd = K.native_batch_norm(input, weight, bias, eps)
    _update(running_mean, mean, momentum)
    if running_var is not None:
        _update(running_var, _unbiased_variance(rstd.detach(), eps, n), momentum)
    return out


def _by_running(
    input: Tensor, mean: Tensor, var: Tensor, weight: Any, bias: Any, eps: float
) -> Tensor:
    """Normalised by given statistics, as one multiplication and one addition."""
    scale = K.rsqrt(var + eps)
    if weight is not None:
        scale = scale * weight
    offset = -mean * scale
    if bias is not None:
        offset = offset + bias
    shape = _channel_shape(input)
    scale, offset = (K.cast_like(K.reshape(v, shape), input) for v in (scale, offset))
    return input * scale + offset


# -- layer norm ------------------------------------------------------------------------------------


def _last(input: Any, normalized_shape: Any) -> tuple[int, ...]:
    return tuple(range(-len(normalized_shape), 0))


@composite(
    custom(
        FLOATING,
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
        ): lambda K, gs, input, normalized_shape, weight, outs: _norm_gradients(
            K,
            gs,
            lambda g: K.layer_norm_backward(g, input, normalized_shape, weight, outs[1], outs[2]),
            outs[1],
            outs[2],
            lambda centred=True: input - outs[1] if centred else input,
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
    unit, mean, rstd = _normalised(input, _last(input, normalized_shape), eps)
    return K.cast_like(_affine(unit, weight, bias, normalized_shape), input), mean, rstd


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
        return _backward(grad, input, weight, mean, rstd, dims, over)
    found = _backward(K.unsqueeze(grad, 0), K.unsqueeze(input, 0), weight, mean, rstd, dims, 0)
    return K.squeeze(found[0], 0), found[1], found[2]


def _as_shape(normalized_shape: Any) -> tuple[int, ...]:
    if isinstance(normalized_shape, int):
        return (normalized_shape,)
    return tuple(int(n) for n in normalized_shape)


def _check_normalized(input: Tensor, shape: Any, **parameters: Any) -> None:
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
    custom(
        FLOATING,
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
    _check_normalized(input, shape, weight=weight, bias=bias)
    return K.native_layer_norm(input, shape, weight, bias, eps)[0]


@composite(
    custom(FLOATING, samples=lambda make: [(make(2, 3, 4), (4,), make(4)), (make(3, 4), (3, 4))]),
    aliases=("nn.functional.rms_norm",),
    method=False,
)
def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divided by the root mean square over the last dimensions (Zhang and Sennrich 2019)."""
    shape = _as_shape(normalized_shape)
    _check_normalized(input, shape, weight=weight)
    x = _statistics_dtype(input)
    eps = finfo(x.dtype).eps if eps is None else eps
    scaled = x * K.rsqrt(K.mean(K.square(x), _last(input, shape), True) + eps)
    return K.cast_like(scaled if weight is None else scaled * weight, input)


# -- group and instance norm -----------------------------------------------------------------------


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
    found = _norm_gradients(K, stats, shared, shown(mean), shown(rstd), centred, n)
    return K.reshape(found[0], tuple(input.shape)), found[1], found[2]


@composite(
    custom(
        FLOATING,
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
        ): lambda K, gs, input, num_groups, weight, outs: _group_norm_gradients(
            K, gs, input, num_groups, weight, outs[1], outs[2]
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
    unit, mean, rstd = _normalised(K.reshape(input, _grouped(input, num_groups)), (2, 3), eps)
    unit = K.reshape(unit, tuple(input.shape))
    out = K.cast_like(_affine(unit, weight, bias, _channel_shape(input)), input)
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
    found = _backward(
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
    custom(
        FLOATING,
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
    return K.native_group_norm(input, num_groups, weight, bias, eps)[0]


@composite(
    custom(
        FLOATING,
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
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "Expected running_mean and running_var to be defined when use_input_stats is false"
            )
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    n = product(input.shape[2:])
    if n == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    out, mean, rstd = K.native_group_norm(input, input.shape[1], weight, bias, eps)
    _update(running_mean, K.mean(mean.detach(), 0), momentum)
    if running_var is not None:
        variance = _unbiased_variance(rstd.detach(), eps, n)
        _update(running_var, K.mean(variance, 0), momentum)
    return out


@composite(custom(FLOATING, samples=lambda make: [(make(2, 5, 3), 3)]), namespace=F)
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divided by (k + alpha * mean of squares over `size` channels)^beta (Krizhevsky 2012)."""
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)"
        )
    n, channels = input.shape[:2]
    squares = K.reshape(K.square(input), (n, 1, channels, product(input.shape[2:])))
    squares = K.pad(squares, (0, 0, size // 2, (size - 1) // 2))
    mean = K.avg_pool(squares, (size, 1), (1, 1), (0, 0), False, True, None)
    return input / K.pow(K.reshape(mean, tuple(input.shape)) * alpha + k, beta)
