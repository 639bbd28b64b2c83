"""Modified Bessel functions of orders 0 and 1, plain and scaled by exp(-|x|) or exp(x).

Each is a sum in x or its inverse; from the second kind of a small x its logarithm is taken out (DLMF 10.31.1).
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
    return by_range(K.abs(input), (8.0,), (_i0_near, _over_root(16.0, _I0_FAR)))


@special(
    {"input": lambda K, g, input, out: g * (slope(K, K.i0e, input, out) - K.sgn(input) * out)},
    domain=DOMAIN,
)
def i1e(input: Tensor) -> Tensor:
    """exp(-|x|) I_1(x)."""
    return by_range(K.abs(input), (8.0,), (_i1_near, _over_root(16.0, _I1_FAR))) * K.sgn(input)


@special(
    {"input": lambda K, g, input, out: g * slope(K, K.i0, input, out)},
    aliases=("modified_bessel_i1",),
    domain=DOMAIN,
)
def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
    return unscaled(K.i1e(input), input)


def _i0_near(x: Tensor) -> Any:
    return chebyshev(x / 4 - 1, _I0_NEAR)


def _i1_near(x: Tensor) -> Any:
    return x * chebyshev(x / 4 - 1, _I1_NEAR)


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
    return chebyshev(t, _K0_NEAR) - K.log(x) * chebyshev(t, _I0_UNIT)


def _k1_near(x: Tensor) -> Any:
    t = x * x / 2 - 1
    return x * chebyshev(t, _K1_NEAR) + K.xlogy(x * chebyshev(t, _I1_UNIT), x) + 1 / x


# exp(-x) I_0(x) and exp(-x) I_1(x) / x for x = 4 (t + 1).
_I0_NEAR = (
    0.33839763720473803, -0.3046826723431984, 0.17162090152220877, -0.09490109704804764,
    0.04930528423967071, -0.02373741480589947, 0.010546460394594998, -0.004324309995050576,
    0.0016394756169413357, -0.0005763755745385824, 0.00018850288509584165, -5.754195010082104e-05,
    1.6448448070728896e-05, -4.4167383584587505e-06, 1.1173875391201037e-06,
    -2.670793853940612e-07, 6.046995022541919e-08, -1.300025009986248e-08, 2.6598237246823866e-09,
    -5.189795601635263e-10, 9.675809035373237e-11, -1.726826291441556e-11, 2.95505266312964e-12,
    -4.856446783111929e-13, 7.676185498604936e-14, -1.1685332877993451e-14, 1.715391285555133e-15,
    -2.431279846547955e-16, 3.3307945188222384e-17,
)  # fmt: skip
_I1_NEAR = (
    0.12629359322181682, -0.17641651835783406, 0.1026436586898471, -0.05294598120809499,
    0.024726449030626516, -0.010564084894626197, 0.004156422944312888, -0.0015135724506312532,
    0.0005122859561685758, -0.00016176081582589674, 4.781565107550054e-05,
    -1.3273163656039436e-05, 3.4702513081376785e-06, -8.568720264695455e-07,
    2.0032947535521353e-07, -4.445059128796328e-08, 9.381537386495773e-09,
    -1.8872497517228294e-09, 3.625590281552117e-10, -6.663489723502027e-11,
    1.1736186298890901e-11, -1.9839743977649436e-12, 3.223793365945575e-13,
    -5.042185504727912e-14, 7.600684294735408e-15, -1.1055969477353862e-15,
    1.5536319577362005e-16, -2.111421214358166e-17, 2.7779141127610464e-18,
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

# I_0(x), I_1(x) / x, K_0(x) + log(x) I_0(x) and (K_1(x) - log(x) I_1(x) - 1 / x) / x for x^2 = 2 (t + 1).
_I0_UNIT = (
    1.6029228068079633, 0.638809625651177, 0.03685485969436176, 0.00098287812725148,
    1.4983654208927293e-05, 1.4738449008423848e-07, 1.0114797900674826e-09,
    5.1149979020112795e-12, 1.984280622680562e-14, 6.090516506058955e-17,
)  # fmt: skip
_I1_UNIT = (
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
