"""The normal distribution and the scaled error function that its tails are made of."""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops.special._approximation import by_range, chebyshev, exp_square
from dispatch_core.ops.special._declare import special

ROOT_HALF = math.sqrt(0.5)
ROOT_2_OVER_PI = math.sqrt(2 / math.pi)
ROOT_2_PI = math.sqrt(2 * math.pi)
TAIL = 0.125
"""Below it, and above 1 - TAIL, the quantile is found from the logarithm of what is beyond it."""


@special({"input": lambda g, input, out: g * (2 * input * out - 2 / math.sqrt(math.pi))})
def erfcx(input: Tensor) -> Tensor:
    """exp(x^2) erfc(x), finite for all x > -26."""
    value = _scaled_tail(K.abs(input))
    return K.where(K.lt(input, 0), 2 * exp_square(input, 1.0) - value, value)


@special({"input": lambda K, g, input: g * K.exp(-0.5 * input * input) / ROOT_2_PI})
def ndtr(input: Tensor) -> Tensor:
    """The area below the standard normal density to the left of x, accurate in its tail."""
    beyond = _beyond(input)
    return K.where(K.lt(input, 0), beyond, 1 - beyond)


@special(
    {"input": lambda K, g, input: g * ROOT_2_OVER_PI / K.erfcx(input * -ROOT_HALF)},
    domain=(-6.0, 3.0),
)
def log_ndtr(input: Tensor) -> Tensor:
    """log(ndtr(x)), without underflow."""
    return by_range(input, (-1.0,), (_log_tail, _log_body))


@special({"input": lambda K, g, out: g * ROOT_2_PI * K.exp(0.5 * out * out)}, domain=(0.02, 0.98))
def ndtri(input: Tensor) -> Tensor:
    """The x whose ndtr is `input`: infinite at 0 and 1, NaN outside."""
    upper = K.gt(input, 0.5)
    least = K.where(upper, 1 - input, input)
    x = by_range(least, (TAIL,), (_quantile_of_tail, _quantile))
    x = K.where(K.eq(least, 0), -math.inf, x)
    x = K.where(K.lt(least, 0), math.nan, x)
    return K.where(upper, -x, x)


def _scaled_tail(x: Tensor) -> Any:
    """erfcx for x >= 0, in a variable of Shepherd and Laframboise (Math. Comp. 36, 1981)."""
    rise = 2 - 7.5 / (x + 3.75)
    return (1 + rise * chebyshev(rise - 1, _ERFCX)) / (1 + 2 * x)


def _beyond(x: Tensor) -> Any:
    """The area beyond |x|."""
    return 0.5 * exp_square(x, -0.5) * _scaled_tail(K.abs(x) * ROOT_HALF)


def _log_tail(x: Tensor) -> Any:
    return K.log(0.5 * _scaled_tail(x * -ROOT_HALF)) - 0.5 * x * x


def _log_body(x: Tensor) -> Any:
    beyond = _beyond(x)
    return K.log1p(-K.where(K.lt(x, 0), 1 - beyond, beyond))


def _quantile(y: Tensor) -> Any:
    rest = y - 0.5
    return rest * chebyshev(rest * rest * (2 / (0.5 - TAIL) ** 2) - 1, _CENTRE)


def _quantile_of_tail(y: Tensor) -> Any:
    size = -2 * K.log(y)
    ends = (math.log(math.sqrt(-2 * math.log(TAIL))), math.log(5.0), math.log(39.0))
    near, far = (_between(ends[i], ends[i + 1], c) for i, c in enumerate((_TAIL, _FAR_TAIL)))
    return -K.sqrt(size) * by_range(0.5 * K.log(size), (ends[1],), (near, far))


def _between(low: float, high: float, coefficients: Any) -> Any:
    return lambda x: chebyshev((2 * x - (low + high)) / (high - low), coefficients)


# ((1 + 2 x) erfcx(x) - 1) / (1 + t) for (x - 3.75) / (x + 3.75) = t.
_ERFCX = (
    0.5120425066443408, -0.6689271441538781, 0.3045891658577817, -0.10874945429472106,
    0.03132962272804421, -0.007227128031978862, 0.0012746286773240452, -0.00014845640350444572,
    3.8358027364634595e-06, 2.4453319814946833e-06, -4.4841072730680626e-07,
    -4.3391364137281085e-10, 1.1550533604863971e-08, -1.1371546370133128e-09,
    -2.3230470840077275e-10, 5.088401204858811e-11, 4.174917485862838e-12,
    -1.8579468017003905e-12, -6.99065115465104e-14, 6.682047510672361e-14, 1.3165242960379658e-15,
    -2.497284733063435e-15, -5.108059074972232e-17, 9.785580842515004e-17,
)  # fmt: skip

# ndtri(1/2 + w) / w for w^2 = (3/8)^2 (t + 1) / 2.
_CENTRE = (
    2.75626240773562, 0.2762559100066958, 0.030207156709674277, 0.004124957243077576,
    0.000626201371068278, 0.00010112940123524067, 1.7007480612069465e-05, 2.9431496228783427e-06,
    5.202354291607284e-07, 9.347554480275329e-08, 1.701559969437519e-08, 3.1303632648441214e-09,
    5.809730753368261e-10, 1.0862533348615106e-10, 2.04385966455798e-11, 3.866716242507591e-12,
    7.350256475202629e-13, 1.4030836200438666e-13, 2.688310341937328e-14, 5.1679344407063756e-15,
    9.964365188597695e-16, 1.9264240320283895e-16,
)  # fmt: skip

# -ndtri(y) / z, where y = exp(-z^2 / 2), for log(z) from y = 1/8 to z = 5 and from there to 39.
_TAIL = (
    0.7576291017101935, 0.16307149797816003, -0.027342436928606904, 0.002908196768957011,
    -0.00021429699954662263, 1.1302092217199175e-05, -4.391058472746519e-07,
    1.4839704357115092e-08, -6.237406016401222e-10, 2.2200593834144822e-11,
    4.4021046070295124e-13, -5.4872374875812934e-14, -5.132519491052646e-15,
    4.684834605068143e-16, 3.575643279782313e-17,
)  # fmt: skip
_FAR_TAIL = (
    0.9649900050500352, 0.045713257056903885, -0.017556441090034135, 0.004613174728316327,
    -0.0008947120748827577, 0.00013289245868841807, -1.522028713012143e-05, 1.297152477808747e-06,
    -7.024802039584505e-08, 4.1449268988668915e-10, 2.484575499002157e-10, 1.8401924029933057e-11,
    -1.2845346439129047e-11, 2.1757464359931664e-12, -1.0125439821998307e-13,
    -3.869653135655183e-14, 1.0604576259300358e-14, -9.9189913300644e-16, -1.229197687481876e-16,
    5.61396603146998e-17,
)  # fmt: skip
