"""Gamma random numbers and their derivative by the concentration."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import float64
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops._values import any_true
from dispatch_core.ops.chance._implicit import gamma_slope
from dispatch_core.ops.chance._rejection import by_rejection, normal, uniform

POSITIVE = (0.2, 3.0)


@composite(
    custom(
        FLOATING,
        samples=lambda make: [(make(3, 4, low=0.2, high=3.0),)],
        constant=("concentration",),  # differences see the steps of the rejection
    ),
    grad={
        "concentration": lambda K, g, concentration, out: (
            g * K.standard_gamma_grad(concentration, out)
        )
    },
    random=True,
    namespace="_",
)
def standard_gamma(concentration: Tensor, generator: Any = None) -> Tensor:
    """Gamma numbers of rate 1, differentiable by the concentration; what underflows is 0."""
    if any_true(K.le(concentration, 0)):
        raise RuntimeError(
            "standard_gamma expects all concentrations > 0, but got others; mask them or clamp them"
        )
    return K.cast(K.exp(log_gamma_numbers(concentration, generator)), concentration.dtype)


def log_gamma_numbers(concentration: Tensor, generator: Any = None) -> Any:
    """Logarithms, in float64, of standard gamma numbers.

    Marsaglia and Tsang 2000; below concentration 1 those of concentration + 1, times u^(1 / concentration).
    """
    a = K.cast(concentration, float64)
    small = K.lt(a, 1)
    found = by_rejection(
        lambda d: _marsaglia_tsang(d, generator), [K.where(small, a + 1, a) - 1 / 3]
    )
    shift = K.log(1 - uniform(a, generator)) / a
    return K.where(small, found + shift, found)


def _marsaglia_tsang(d: Tensor, generator: Any) -> tuple[Tensor, Tensor]:
    x = normal(d, generator)
    u = 1 - uniform(d, generator)
    root = 1 + x / K.sqrt(9 * d)
    inside = K.gt(root, 0)
    log_v = 3 * K.log(K.where(inside, root, 1.0))
    taken = K.lt(K.log(u), 0.5 * x * x + d * (1 - K.exp(log_v) + log_v))
    return K.log(d) + log_v, inside & taken


@composite(
    pointwise(
        SAME,
        FLOATING,
        inplace=False,
        samples=lambda make: [
            (make(3, 4, low=0.2, high=3.0), make(3, 4, low=0.1, high=4.0)),
            (make(4, low=2.0, high=30.0), make(4, low=2.0, high=30.0)),
        ],
    ),
    namespace="_",
)
def standard_gamma_grad(concentration: Tensor, sample: Tensor) -> Tensor:
    """The derivative of a standard gamma number by its concentration, its place in the cdf kept."""
    a, x = K.cast(concentration, float64), K.cast(sample, float64)
    return K.cast(gamma_slope(a, x), concentration.dtype)
