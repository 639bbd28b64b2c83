"""Activation functions: element-wise, most with `inplace` and an in-place variant of their own."""

from __future__ import annotations

from typing import Any

from dispatch_core._families.base import FLOATING, INEXACT, NUMBERS, REAL_NUMBERS
from dispatch_core._families.others import custom
from dispatch_core._families.pointwise import FLOAT, SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.create import as_element

F = "nn.functional"
SQRT_HALF = 0.7071067811865476
SQRT_2_OVER_PI = 0.7978845608028654
ONE_OVER_SQRT_2PI = 0.3989422804014327
GELU_CUBIC = 0.044715
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
SELU_SLOPE = SELU_SCALE * SELU_ALPHA


@composite(
    pointwise(SAME, REAL_NUMBERS),
    grad={
        "input": lambda K, g, out: K.gate(g, out != 0)
    },  # not `> 0`: through NaN it goes unhindered
    aliases=("nn.functional.relu",),
)
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x)."""
    return K.maximum(input, 0)


@composite(
    pointwise(
        SAME,
        REAL_NUMBERS,
        samples=lambda make: [(make(3, 4), 0.0, 2.0), (make(), 0.0, 1.0), (make(0, 3), 0.0, 1.0)],
    ),
    grad={
        "input": lambda K, g, out, min_val, max_val: K.gate(g, (out != min_val) & (out != max_val))
    },
    namespace=F,
)
def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """min(max(x, min_val), max_val); ValueError for an empty interval."""
    if min_val > max_val:
        raise ValueError(
            f"min_val cannot be greater than max_val, got min_val={min_val} and max_val={max_val}"
        )
    if not input.is_floating_point():
        min_val, max_val = int(min_val), int(max_val)
        if min_val < 0 and not input.dtype.is_signed:
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return K.minimum(K.maximum(input, min_val), max_val)


@composite(
    pointwise(SAME, REAL_NUMBERS),
    grad={"input": lambda K, g, out: K.gate(g, (out != 0) & (out != 6))},
    namespace=F,
)
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return K.minimum(K.maximum(input, 0), 6)


@composite(
    pointwise(SAME, REAL_NUMBERS, samples=lambda make: [(make(3, 4), 1, 2), (make(), 0, 1)]),
    grad={"input": lambda K, g, input, threshold: K.where(input <= threshold, 0.0, g)},
    aliases=("nn.functional.threshold",),
    method=False,
)
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """The elements above `threshold`, and `value` for the others."""
    return K.where(K.le(input, threshold), as_element(value, input.dtype), input)


@composite(
    pointwise(SAME, FLOATING),
    grad={"input": lambda K, g, input, negative_slope: K.where(input > 0, g, g * negative_slope)},
    namespace=F,
)
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x."""
    return K.where(K.gt(input, 0), input, input * negative_slope)


def _expm1_where_negative(K: Any, input: Any, scale: float) -> Any:
    """exp(scale * x) - 1 where x is negative, 0 elsewhere, without overflow."""
    return K.expm1(K.minimum(input, 0.0) * scale)


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda K, g, input, alpha: (
            g * K.where(input <= 0, alpha * (_expm1_where_negative(K, input, 1.0) + 1), 1.0)
        )
    },
    namespace=F,
)
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016)."""
    return K.where(K.gt(input, 0), input, _expm1_where_negative(K, input, 1.0) * alpha)


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda K, g, input, alpha: (
            g * K.where(input <= 0, _expm1_where_negative(K, input, 1 / alpha) + 1, 1.0)
        )
    },
    aliases=("nn.functional.celu",),
    method=False,
)
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron 2017)."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return K.where(K.gt(input, 0), input, _expm1_where_negative(K, input, 1 / alpha) * alpha)


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda K, g, input: (
            g
            * K.where(
                input <= 0, (_expm1_where_negative(K, input, 1.0) + 1) * SELU_SLOPE, SELU_SCALE
            )
        )
    },
    aliases=("nn.functional.selu",),
    method=False,
)
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return K.where(
        K.gt(input, 0), input * SELU_SCALE, _expm1_where_negative(K, input, 1.0) * SELU_SLOPE
    )


@composite(
    custom(
        FLOATING,
        samples=lambda make: [(make(2, 3, 4), make(3)), (make(5), make(1)), (make(), make(1))],
    ),
    aliases=("nn.functional.prelu",),
)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight * x, with one weight, or one a channel of (N, C, *)."""
    count = weight.numel()
    if input.dtype is not weight.dtype:
        raise RuntimeError(f"prelu: expected one dtype, but got {input.dtype} and {weight.dtype}")
    if count != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if channels != count:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{count} and channel size = {channels}."
            )
        weight = K.reshape(weight, (count,) + (1,) * (input.ndim - 2))
    elif input.ndim == 0:
        weight = K.reshape(weight, ())
    return K.where(K.gt(input, 0), input, weight * input)


@composite(
    pointwise(SAME, INEXACT),
    grad={"input": lambda K, g, input: g * K.conj(_silu_slope(K, input))},
    namespace=F,
)
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x), also called swish."""
    return input * K.sigmoid(input)


def _silu_slope(K: Any, input: Any) -> Any:
    s = K.sigmoid(input)
    return s * (input * (1 - s) + 1)


@composite(
    pointwise(SAME, FLOATING),
    grad={"input": lambda K, g, input: g * _mish_slope(K, input)},
    namespace=F,
)
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x)) (Misra 2019)."""
    return input * K.tanh(K.softplus(input))


def _mish_slope(K: Any, input: Any) -> Any:
    t = K.tanh(K.softplus(input, 1.0, 20.0))
    return t + input * K.sigmoid(input) * (1 - t * t)


@composite(
    pointwise(SAME, FLOATING),
    grad={"input": lambda K, g, input: K.gate(g, (input > -3) & (input < 3)) / 6.0},
    namespace=F,
)
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6."""
    return K.relu6(input + 3) / 6


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda K, g, input: (
            g * K.where(input <= -3, 0.0, K.where(input >= 3, 1.0, input / 3 + 0.5))
        )
    },
    namespace=F,
)
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x) (Howard et al. 2019)."""
    return input * K.relu6(input + 3) / 6


@composite(
    pointwise(SAME, FLOATING),
    grad={"input": lambda K, g, input, approximate: g * _gelu_slope(K, input, approximate)},
    namespace=F,
    out=True,
)
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x times the normal distribution function of x, or its tanh approximation (2016).

    RuntimeError for an `approximate` that is neither "none" nor "tanh".
    """
    if approximate == "tanh":
        return input * (K.tanh(_gelu_inner(K, input)) + 1) * 0.5
    if approximate != "none":
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    return input * (K.erf(input * SQRT_HALF) + 1) * 0.5


def _gelu_inner(K: Any, input: Any) -> Any:
    return (input + input * input * input * GELU_CUBIC) * SQRT_2_OVER_PI


def _gelu_slope(K: Any, input: Any, approximate: str) -> Any:
    if approximate == "none":
        density = K.exp(input * input * -0.5) * ONE_OVER_SQRT_2PI
        return (K.erf(input * SQRT_HALF) + 1) * 0.5 + input * density
    t = K.tanh(_gelu_inner(K, input))
    inner_slope = (input * input * (3 * GELU_CUBIC) + 1) * SQRT_2_OVER_PI
    return (t + 1) * 0.5 + input * (1 - t * t) * inner_slope * 0.5


@composite(
    pointwise(SAME, FLOATING),
    grad={
        "input": lambda K, g, input, beta, threshold: K.where(
            input * beta > threshold, g, g * K.sigmoid(input * beta)
        )
    },
    namespace=F,
    out=True,
)
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, and x itself where beta * x > threshold."""
    scaled = input * beta
    soft = (K.maximum(scaled, 0.0) + K.log1p(K.exp(K.neg(K.abs(scaled))))) / beta
    return K.where(K.gt(scaled, threshold), input, soft)


@composite(
    pointwise(SAME, FLOATING),
    grad={"input": lambda K, g, input: g * K.sigmoid(-input)},
    namespace=F,
    out=True,
)
def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + exp(-x))), without overflow."""
    return K.minimum(input, 0.0) - K.log1p(K.exp(K.neg(K.abs(input))))


@composite(
    pointwise(SAME, FLOATING),
    grad={"input": lambda K, g, out: K.gate(g, out != 0)},
    aliases=("nn.functional.hardshrink",),
    out=True,
)
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0."""
    return K.where(K.le(K.abs(input), lambd), 0.0, input)


@composite(
    pointwise(SAME, FLOATING),
    grad={"input": lambda K, g, out: K.gate(g, out != 0)},
    namespace=F,
    out=True,
)
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, but not across it; RuntimeError for a negative lambd."""
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return input - K.minimum(K.maximum(input, -lambd), lambd)


@composite(
    pointwise(FLOAT, NUMBERS),
    grad={"input": lambda K, g, input: g * K.conj(K.square(K.tanh(input)))},
    namespace=F,
)
def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - K.tanh(input)


@composite(
    pointwise(FLOAT, NUMBERS),
    grad={
        "input": lambda K, g, input, input_dtype: (
            _softsign_complex if input_dtype.is_complex else _softsign_real
        )(K, g, input)
    },
    namespace=F,
)
def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (K.abs(input) + 1)


def _softsign_real(K: Any, g: Any, input: Any) -> Any:
    return g / K.square(K.abs(input) + 1)


def _softsign_complex(K: Any, g: Any, input: Any) -> Any:
    """Both x and |x| change."""
    size = K.abs(input) + 1
    return (g - K.sgn(input) * K.real(K.conj(input) * g) / size) / size


@composite(custom(FLOATING, samples=lambda make: [(make(3, 4),), (make(2, 6, 3), 1)]), namespace=F)
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), where a and b are the halves of `dim`; RuntimeError for an odd length."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if input.shape[dim] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}"
        )
    a, b = K.chunk(input, 2, dim)
    return a * K.sigmoid(b)
