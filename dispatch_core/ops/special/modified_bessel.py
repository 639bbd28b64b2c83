"""Modified Bessel functions of orders 0 and 1, plain and scaled by exp(-|x|) or exp(x).

Each is a sum in x^2 for small x, the logarithm of the second kind taken out (DLMF 10.31.1), and in 1 / x
for large x.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops.bessel import slope, unscaled
from dispatch_core.ops.special._approximation import Formula, by_range, chebyshev
from dispatch_core.ops.special._declare import special

DOMAIN = (-12.0, 12.0)
PLUS = (0.2, 6.0)


# -- the first kind --------------------------------------------------------------------------------


@special({"input": lambda K, g, input, out: g * (K.i1e(input) - K.sgn(input) * out)}, domain=DOMAIN)
def i0e(input: Tensor) -> Tensor:
    """exp(-|x|) I_0(x)."""
    return _first(input, _i0_near, _I0_MIDDLE, _I0_FAR)


@special(
    {"input": lambda K, g, input, out: g * (slope(K, K.i0e, input, out) - K.sgn(input) * out)},
    domain=DOMAIN,
)
def i1e(input: Tensor) -> Tensor:
    """exp(-|x|) I_1(x)."""
    size = _first(input, _i1_near, _I1_MIDDLE, _I1_FAR)
    return K.where(K.eq(input, 0), input, size * K.sgn(input))


@special(
    {"input": lambda K, g, input, out: g * slope(K, K.i0, input, out)},
    aliases=("modified_bessel_i1",),
    domain=DOMAIN,
)
def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
    return unscaled(K.i1e(input), input)


def _i0_near(x: Tensor) -> Any:
    square = x * x
    return 1 + square * chebyshev(square / 2 - 1, _I0_NEAR)


def _i1_near(x: Tensor) -> Any:
    return x * chebyshev(x * x / 2 - 1, _I1_NEAR)


def _first(x: Tensor, near: Formula, middle: Sequence[float], far: Sequence[float]) -> Any:
    formulas = (
        lambda x: K.exp(-x) * near(x),
        lambda x: chebyshev((x - 5) / 3, middle),
        _over_root(16.0, far),
    )
    return by_range(K.abs(x), (2.0, 8.0), formulas)


def _over_root(scale: float, coefficients: Sequence[float]) -> Formula:
    """A sum in 1 / x, over the root of x, for x >= scale / 2."""
    return lambda x: chebyshev(scale / x - 1, coefficients) / K.sqrt(x)


# -- the second kind -------------------------------------------------------------------------------


@special({"input": lambda K, g, input: -g * K.modified_bessel_k1(input)}, domain=PLUS)
def modified_bessel_k0(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 0: inf at 0, NaN below."""
    return _second(input, (_k0_near, lambda x: K.exp(-x) * _k0_far(x)))


@special(
    {"input": lambda K, g, input, out: -g * (K.modified_bessel_k0(input) + out / input)},
    domain=PLUS,
)
def modified_bessel_k1(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 1: inf at 0, NaN below."""
    return _second(input, (_k1_near, lambda x: K.exp(-x) * _k1_far(x)))


@special(
    {"input": lambda K, g, input, out: g * (out - K.scaled_modified_bessel_k1(input))},
    domain=PLUS,
)
def scaled_modified_bessel_k0(input: Tensor) -> Tensor:
    """exp(x) K_0(x)."""
    return _second(input, (lambda x: K.exp(x) * _k0_near(x), _k0_far))


@special(
    {
        "input": lambda K, g, input, out: (
            g * (out - K.scaled_modified_bessel_k0(input) - out / input)
        )
    },
    domain=PLUS,
)
def scaled_modified_bessel_k1(input: Tensor) -> Tensor:
    """exp(x) K_1(x)."""
    return _second(input, (lambda x: K.exp(x) * _k1_near(x), _k1_far))


def _second(x: Tensor, formulas: Sequence[Formula]) -> Any:
    return K.where(K.lt(x, 0), math.nan, by_range(K.abs(x), (2.0,), formulas))


def _k0_near(x: Tensor) -> Any:
    t = x * x / 2 - 1
    return chebyshev(t, _K0_NEAR) - K.log(x) * _i0_near(x)


def _k1_near(x: Tensor) -> Any:
    t = x * x / 2 - 1
    return x * chebyshev(t, _K1_NEAR) + K.xlogy(_i1_near(x), x) + 1 / x


# exp(-x) I_n(x) for x = 3 t + 5.
_I0_MIDDLE = (
    0.20265458169630618, -0.07530113285910563, 0.021009076548088396, -0.006509215217702366,
    0.0020841295941255032, -0.000663237694109267, 0.00020447887099303192, -6.008499691996071e-05,
    1.6668544774112276e-05, -4.34486590695866e-06, 1.0623408783202918e-06, -2.436880494371135e-07,
    5.250900502914729e-08, -1.0647984423707817e-08, 2.0364193995706206e-09,
    -3.681407107346795e-10, 6.305069722761454e-11, -1.0253058598220253e-11,
    1.5864396362567645e-12, -2.340308942311313e-13, 3.297816890569414e-14,
    -4.4469160284981966e-15, 5.747755900169962e-16, -7.132266115074427e-17, 8.50916607798878e-18,
)  # fmt: skip
_I1_MIDDLE = (
    0.16978541821375384, -0.04081701544471595, 0.005471504822387463, -3.7199867430543946e-05,
    -0.00043501169617069646, 0.000251098738494547, -0.00010387010560561069, 3.633595171172561e-05,
    -1.1283779531380381e-05, 3.177177262795525e-06, -8.207879854204014e-07,
    1.9608259818179285e-07, -4.357416283937996e-08, 9.050622962020252e-09, -1.764216796822223e-09,
    3.238856123342663e-10, -5.6178391818434265e-11, 9.23249404283715e-12, -1.4413186299625083e-12,
    2.1424611174509566e-13, -3.038877038591557e-14, 4.121171205140304e-15, -5.353393026179594e-16,
    6.672258557181179e-17, -7.991588912221358e-18,
)  # fmt: skip

# sqrt(x) exp(-x) I_n(x) for x = 16 / (t + 1).
_I0_FAR = (
    0.4022452055070544, 0.0033691164782556943, 6.889758346916825e-05, 2.8913705208347567e-06,
    2.0489185894690638e-07, 2.266668990498178e-08, 3.3962320257083865e-09, 4.94060238822497e-10,
    1.1889147107846439e-11, -3.1499165279632416e-11, -1.3215811840447713e-11,
    -1.7941785315068062e-12, 7.180124451383666e-13, 3.8527783827421426e-13, 1.54008621752141e-14,
    -4.150569347287222e-14, -9.554846698828307e-15, 3.8116806693526224e-15,
    1.7725601330565263e-15, -3.425485619677219e-16, -2.8276239805165836e-16,
    3.461222867697461e-17, 4.46562142029676e-17, -4.830504485944182e-18, -7.233180487874754e-18,
)  # fmt: skip
_I1_FAR = (
    0.38928811750914005, -0.009761097491361469, -0.00011058893876262371, -3.882564808877691e-06,
    -2.512236237870209e-07, -2.6314688468895196e-08, -3.835380385964237e-09,
    -5.589743462196584e-10, -1.8974958123505413e-11, 3.2526035830154884e-11,
    1.4125807436613782e-11, 2.0356285441470896e-12, -7.198551776245908e-13,
    -4.0835511110921974e-13, -2.1015418427726643e-14, 4.272440016711951e-14,
    1.0420276984128802e-14, -3.8144030724370075e-15, -1.8803547755107825e-15,
    3.3082023109209285e-16, 2.96262899764595e-16, -3.209525921993424e-17, -4.6503053684893586e-17,
    4.414348323071708e-18, 7.517296310842105e-18,
)  # fmt: skip

# (I_0(x) - 1) / x^2, I_1(x) / x, K_0(x) + log(x) I_0(x) and (K_1(x) - log(x) I_1(x) - 1 / x) / x for
# x^2 = 2 (t + 1).
_I0_NEAR = (
    0.28399466845829535, 0.03493346989137262, 0.0009533489518410755, 1.469189930698707e-05,
    1.4537679643020318e-07, 1.0013090798174842e-09, 5.07549440031173e-12, 1.9721449374796413e-14,
    6.060294995657869e-17,
)  # fmt: skip
_I1_NEAR = (
    0.6417589969911874, 0.1475393201491934, 0.005898742680020788, 0.00011988137174638708,
    1.4739165119093128e-06, 1.2138074968740922e-08, 7.161106692799279e-11, 3.17487931131012e-13,
    1.0962998348773076e-15,
)  # fmt: skip
_K0_NEAR = (
    0.8433977275772223, 0.787078990859296, 0.06152577860244072, 0.0019458946141853283,
    3.3247998700597626e-05, 3.5563825166277007e-07, 2.6056207418988497e-09,
    1.3895141631982779e-11, 5.635214661841847e-14, 1.7966278703136082e-16,
)  # fmt: skip
_K1_NEAR = (
    -0.5089237845320825, -0.2114356597763456, -0.010725575310322739, -0.0002513233586483403,
    -3.4112002554142968e-06, -3.026704146655771e-08, -1.89459722399161e-10,
    -8.819221396228751e-13, -3.1733487638923218e-15, -9.092150880033067e-18,
)  # fmt: skip

# sqrt(x) exp(x) K_n(x) for x = 4 / (t + 1).
_K0_FAR = (
    1.2201515410329777, -0.0314481013119645, 0.0015698838857300533, -0.00012849549581627802,
    1.39498137188765e-05, -1.8317555227191195e-06, 2.766813639445015e-07, -4.660489897687948e-08,
    8.574034017414225e-09, -1.6975345093890614e-09, 3.5773972814003283e-10,
    -7.957489244477396e-11, 1.8559491149549264e-11, -4.514597883374519e-12,
    1.1403405882073441e-12, -2.9800969231481784e-13, 8.032890775068375e-14,
    -2.2275133267462965e-14, 6.340076476276646e-15, -1.848593377920907e-15,
    5.5120559994043335e-16, -1.6782311257549006e-16, 5.2103917776435543e-17,
)  # fmt: skip
_K1_FAR = (
    1.3603130952422213, 0.10392373657681724, -0.002857816859622779, 0.00019521551847135162,
    -1.936197974166083e-05, 2.406484947837217e-06, -3.5019606030878126e-07,
    5.7410841254500495e-08, -1.0345762465678097e-08, 2.0150497551970347e-09,
    -4.1903547593419254e-10, 9.218315187605315e-11, -2.129967838427791e-11, 5.139639673482343e-12,
    -1.2891739609498229e-12, 3.348419666052243e-13, -8.976705182010146e-14,
    2.4771544242195988e-14, -7.0198370892147685e-15, 2.038703166239861e-15,
    -6.057047270643018e-16, 1.8380935752430455e-16, -5.689462849193648e-17,
)  # fmt: skip

_k0_far, _k1_far = _over_root(4.0, _K0_FAR), _over_root(4.0, _K1_FAR)
