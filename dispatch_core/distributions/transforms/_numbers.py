"""Transforms of single numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor, broadcast_shapes, finfo
from dispatch_core.distributions.transforms._base import FixedTransform, Transform
from dispatch_core.distributions.utils import broadcast_all, softplus, sum_rightmost


class ExpTransform(FixedTransform):
    """y = exp(x)."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return K.exp(x)

    def _inverse(self, y: Any) -> Any:
        return K.log(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return x


class PowerTransform(Transform):
    """y = x^exponent of positive numbers.

    Args:
        exponent: a number or a tensor.
        cache_size: as in `Transform`.

    """

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @property
    def sign(self) -> Any:
        return K.sign(self.exponent)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and _equal(self.exponent, other.exponent)

    __hash__ = Transform.__hash__

    def _call(self, x: Any) -> Any:
        return K.pow(x, self.exponent)

    def _inverse(self, y: Any) -> Any:
        return K.pow(y, 1 / self.exponent)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return K.log(K.abs(self.exponent * y / x))

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return broadcast_shapes(tuple(shape), tuple(self.exponent.shape))

    inverse_shape = forward_shape


class SigmoidTransform(FixedTransform):
    """y = 1 / (1 + exp(-x)), kept within the open unit interval."""

    domain = constraints.real
    codomain = constraints.unit_interval
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return clipped_sigmoid(x)

    def _inverse(self, y: Any) -> Any:
        limits = finfo(y.dtype)
        y = K.clamp(y, limits.tiny, 1 - limits.eps)
        return K.log(y) - K.log1p(-y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -softplus(-x) - softplus(x)


def clipped_sigmoid(x: Any) -> Any:
    """The logistic function, kept from 0 and 1 by the precision of the dtype."""
    limits = finfo(x.dtype)
    return K.clamp(K.sigmoid(x), limits.tiny, 1 - limits.eps)


class SoftplusTransform(FixedTransform):
    """y = log(1 + exp(x))."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return softplus(x)

    def _inverse(self, y: Any) -> Any:
        return K.log(-K.expm1(-y)) + y

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -softplus(-x)


class TanhTransform(FixedTransform):
    """y = tanh(x). Near the ends its inverse loses digits; `cache_size=1` gives x itself."""

    domain = constraints.real
    codomain = constraints.interval(-1.0, 1.0)
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return K.tanh(x)

    def _inverse(self, y: Any) -> Any:
        return K.atanh(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(FixedTransform):
    """y = |x|; its inverse gives the positive x."""

    domain = constraints.real
    codomain = constraints.positive

    def _call(self, x: Any) -> Any:
        return K.abs(x)

    def _inverse(self, y: Any) -> Any:
        return y


class AffineTransform(Transform):
    """y = loc + scale x.

    Args:
        loc: a number or a tensor.
        scale: a number or a tensor.
        event_dim: the dimensions of events, 0 for single numbers.
        cache_size: as in `Transform`.

    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.loc = loc
        self.scale = scale
        self._event_dim = event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @property
    def domain(self) -> Any:
        return _real(self._event_dim)

    @property
    def codomain(self) -> Any:
        return _real(self._event_dim)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AffineTransform)
            and _equal(self.loc, other.loc)
            and _equal(self.scale, other.scale)
        )

    __hash__ = Transform.__hash__

    @property
    def sign(self) -> Any:
        if isinstance(self.scale, Tensor):
            return K.sign(self.scale)
        return (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Any) -> Any:
        return self.loc + self.scale * x

    def _inverse(self, y: Any) -> Any:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        if isinstance(self.scale, Tensor):
            value = K.log(K.abs(self.scale))
        else:
            value = K.full_like(x, math.log(abs(self.scale)))
        shape = broadcast_shapes(tuple(x.shape), tuple(value.shape))
        return sum_rightmost(K.expand(value, shape), self._event_dim)

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        shapes = (tuple(getattr(v, "shape", ())) for v in (self.loc, self.scale))
        return broadcast_shapes(tuple(shape), *shapes)

    inverse_shape = forward_shape


class CumulativeDistributionTransform(Transform):
    """y = F(x), the probability of values up to x.

    Args:
        distribution: a distribution of single numbers with `cdf` and `icdf`.
        cache_size: as in `Transform`.

    """

    bijective = True
    codomain = constraints.unit_interval
    sign = +1

    def __init__(self, distribution: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        return self.distribution.support

    def _call(self, x: Any) -> Any:
        return self.distribution.cdf(x)

    def _inverse(self, y: Any) -> Any:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return self.distribution.log_prob(x)


def _real(dims: int) -> Any:
    return constraints.independent(constraints.real, dims) if dims else constraints.real


def _equal(a: Any, b: Any) -> bool:
    same = a == b
    return same if isinstance(a, Number) and isinstance(b, Number) else bool(K.all(same))
