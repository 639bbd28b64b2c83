"""The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x).

The smaller of the two is computed: for x about a large a by Temme's uniform expansion (DLMF 8.12), else P
by its power series (8.11.4), and Q by a series in x for small x (8.7.3) and a continued fraction (8.9.2).
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import finfo
from dispatch_core._families.base import FLOATING
from dispatch_core._families.pointwise import SAME, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.gamma import BERNOULLI
from dispatch_core.ops.special._approximation import by_range, chebyshev
from dispatch_core.ops.special._declare import in_single

STIRLING, LARGE = 6.0, 20.0
"""From these parameters on, Stirling's series and the uniform expansion serve."""
NEAR = (-0.4, 0.5)
"""Between these values of x / a - 1 the uniform expansion is used."""
SMALL = 1.5
"""Below this x the series for Q converges fast, and beyond it the fraction."""
SERIES, FRACTION = 80, 64
"""Terms that are enough for float64; float32 takes half of them."""


@composite(
    pointwise(
        SAME,
        FLOATING,
        inplace=False,
        samples=lambda make: [
            (make(3, 4, low=0.2, high=3.0), make(3, 4, low=0.2, high=6.0), upper)
            for upper in (False, True)
        ],
    ),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
)
@in_single
def incomplete_gamma(input: Tensor, other: Tensor, upper: bool) -> Tensor:
    """Q(input, other) if `upper`, else P(input, other)."""
    a, x = input, other
    bound = K.where(K.lt(x, SMALL), 1.1 * x, x)
    lower = K.gt(a, K.where(K.lt(x, 0.5), -0.4 / K.log(x), bound))
    u = (x - a) / a
    central = K.ge(a, LARGE) & K.gt(u, NEAR[0]) & K.lt(u, NEAR[1])
    above = K.where(K.lt(x, SMALL), _upper_series(a, x), _upper_fraction(a, x, u))
    value = K.where(lower, _lower_series(a, x, u), above)
    value = K.where(central, _uniform(a, u), value)
    computed_upper = K.where(central, K.gt(u, 0), K.logical_not(lower))
    value = K.where(K.eq(computed_upper, upper), value, 1 - value)
    return _with_edges(a, x, value, upper)


def _with_edges(a: Tensor, x: Tensor, value: Any, upper: bool) -> Any:
    ends = (1.0, 0.0) if upper else (0.0, 1.0)
    nothing = K.eq(x, 0) | K.eq(a, math.inf)
    everything = K.eq(a, 0) | K.eq(x, math.inf)
    value = K.where(nothing, ends[0], K.where(everything, ends[1], value))
    wrong = K.logical_not(K.ge(a, 0) & K.ge(x, 0)) | (nothing & everything)
    return K.where(wrong, math.nan, value)


def _power(a: Tensor, x: Tensor, u: Tensor) -> Any:
    """x^a exp(-x) / gamma(a + 1)."""
    plain = K.exp(a * K.log(x) - x - _log_gamma(a))
    scaled = K.exp(-a * _log_rest(u, x / a) - _stirling(a)) / K.sqrt(2 * math.pi * a)
    return K.where(K.lt(a, STIRLING), plain, scaled)


def _stirling(a: Tensor) -> Any:
    """log(gamma(a)) without the leading terms of Stirling's series (DLMF 5.11.1), for a large a."""
    inverse = 1 / K.maximum(a, STIRLING)
    total: Any = 0.0
    for k, b in reversed(list(enumerate(BERNOULLI, 1))):
        total = total * inverse * inverse + b / (2 * k * (2 * k - 1))
    return total * inverse


def _log_gamma(a: Tensor) -> Any:
    """The logarithm of gamma(1 + a), for small a in proportion to it."""
    return by_range(
        a, (2.0,), (lambda a: a * chebyshev(a - 1, _LOG_GAMMA), lambda a: K.lgamma(a + 1))
    )


def _log_rest(u: Tensor, ratio: Tensor) -> Any:
    """u - log(1 + u), without cancellation for small u; `ratio` is 1 + u as precisely as can be."""
    low, high = NEAR
    inside = K.clamp(u, low, high)
    near = inside * inside * chebyshev((2 * inside - (low + high)) / (high - low), _LOG_REST)
    return K.where(K.eq(inside, u), near, u - K.log(ratio))


def _count(x: Tensor, enough: int) -> int:
    return enough if x.dtype.itemsize == 8 else enough // 2


def _lower_series(a: Tensor, x: Tensor, u: Tensor) -> Any:
    total: Any = 1.0
    for n in range(_count(x, SERIES), 0, -1):
        total = total * (x / (a + n)) + 1
    return _power(a, x, u) * total


def _upper_series(a: Tensor, x: Tensor) -> Any:
    """1 - x^a / gamma(1 + a) (1 + sum of a / (a + n) (-x)^n / n!)."""
    exponent = a * K.log(x) - _log_gamma(a)
    total: Any = 0.0
    for n in range(20, 0, -1):
        total = (total + 1 / (a + n)) * (x / -n)
    return -K.expm1(exponent) - K.exp(exponent) * a * total


def _upper_fraction(a: Tensor, x: Tensor, u: Tensor) -> Any:
    count = _count(x, FRACTION)
    fraction: Any = x + (2 * count + 1) - a
    for n in range(count, 0, -1):
        fraction = x + (2 * n - 1) - a - n * (n - a) / fraction
    return _power(a, x, u) * a / fraction


def _uniform(a: Tensor, u: Tensor) -> Any:
    """The smaller of both for large a (DLMF 8.12.3, 8.12.4, 8.12.7), its exponential factor taken out."""
    u = K.clamp(u, *NEAR)
    half_square = _log_rest(u, u + 1)
    eta = K.copysign(K.sqrt(2 * half_square), u)
    inverse = 1 / a
    total: Any = 0.0
    for row in reversed(_expansion(finfo(a.dtype).eps / 16)):
        term: Any = 0.0
        for d in reversed(row):
            term = term * eta + d
        total = total * inverse + term
    rest = K.where(K.gt(u, 0), total, -total) / K.sqrt(2 * math.pi * a)
    return K.exp(-a * half_square) * (0.5 * K.erfcx(K.sqrt(a * half_square)) + rest)


@cache
def _expansion(negligible: float) -> list[list[float]]:
    """The coefficients d of the sum of d[k][n] eta^n / a^k, exact, as far as they count.

    With u = m_1 eta + m_2 eta^2 + ... from u u' = eta (1 + u), and 1 / u = (r_0 + r_1 eta + ...) / eta,
    DLMF 8.12.11 gives d[0][n] = r_(n + 1) and d[k][n] = (n + 2) d[k - 1][n + 2] - d[k - 1][1] r_(n + 1).
    """
    count, farthest = 48, 0.48
    zero = Fraction(0)
    m = [zero, Fraction(1)]
    for n in range(2, count):
        m.append(m[n - 1] / (n + 1) - sum((m[i] * m[n + 1 - i] for i in range(2, n)), zero) / 2)
    r = [Fraction(1)]
    for n in range(1, count - 1):
        r.append(-sum((m[i + 1] * r[n - i] for i in range(1, n + 1)), zero))
    row, rows = r[1:], []
    for k in range(12):
        size = [abs(float(d)) * farthest**n / LARGE**k for n, d in enumerate(row)]
        last = max((n for n, s in enumerate(size) if s > negligible), default=-1)
        rows.append([float(d) for d in row[: last + 1]])
        row = [(n + 2) * row[n + 2] - row[1] * r[n + 1] for n in range(len(row) - 2)]
    return [row for row in rows if row]


# log(gamma(1 + a)) / a for a = t + 1.
_LOG_GAMMA = (
    -0.055597901608762615, 0.45124424958535864, -0.057559132340275244, 0.010179173625142113,
    -0.00205700000821946, 0.0004462218457225709, -0.00010105571389362511, 2.354606776854845e-05,
    -5.5968639808359655e-06, 1.3500602306657784e-06, -3.2933998234027246e-07,
    8.105743740716987e-08, -2.0094188152548954e-08, 5.01122750710302e-09, -1.2560654999459659e-09,
    3.1620219351993257e-10, -7.990189150347151e-11, 2.02577723282331e-11, -5.151186056867748e-12,
    1.3133163993292495e-12, -3.356331530736558e-13, 8.596015076529789e-14,
    -2.2058867073402852e-14, 5.670884139239694e-15, -1.460281925040952e-15, 3.76604370394526e-16,
    -9.726293936813052e-17, 2.515236761687087e-17, -6.512390987028264e-18,
)  # fmt: skip

# (u - log(1 + u)) / u^2 for u between NEAR.
_LOG_REST = (
    0.508799636635689, -0.15246439726585004, 0.02569984040370245, -0.004622061009407723,
    0.0008661250477688336, -0.0001669749956359397, 3.286623192245718e-05, -6.572726052142428e-06,
    1.3310128556588902e-06, -2.722832480036172e-07, 5.616865225879178e-08,
    -1.1668593073821047e-08, 2.4386034580902537e-09, -5.12274570154936e-10,
    1.0809701817451423e-10, -2.290008365778094e-11, 4.8682926007971686e-12,
    -1.0381693633159737e-12, 2.2201007466770793e-13, -4.759611218910399e-14,
    1.0227336910140437e-14, -2.2022038916828117e-15, 4.750936958797892e-16,
    -1.0267392045782104e-16, 2.2224934365044824e-17,
)  # fmt: skip
