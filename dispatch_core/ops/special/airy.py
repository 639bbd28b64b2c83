"""Airy's function Ai and its derivative: a wave for negative x, an exponential decay for positive x.

Far from 0 both are amplitudes in 1 / zeta, zeta = 2/3 |x|^(3/2) (DLMF 9.7.5, 9.7.6, 9.7.9, 9.7.10).
PyTorch 2.13 errs by up to 1e-6 about -2, in double precision too.
"""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dtypes import finfo
from dispatch_core._families.base import REAL
from dispatch_core._families.pointwise import FLOAT, pointwise
from dispatch_core._op import K, composite
from dispatch_core._tensor import Tensor
from dispatch_core.ops.special._approximation import by_range, chebyshev
from dispatch_core.ops.special._declare import in_single, special

START, END = -5.0, 3.0 ** (2 / 3)
"""Beyond these arguments the amplitudes serve; at the end zeta is 2."""
DOMAIN = (-8.0, 4.0)


@special({"input": lambda K, g, input: g * K.airy_ai_slope(input)}, domain=DOMAIN)
def airy_ai(input: Tensor) -> Tensor:
    """Airy's function Ai; 0 at either infinity, where PyTorch gives NaN."""

    def wave(x: Tensor) -> Any:
        cosine, sine, p, q = _wave(x, _AI_P, _AI_Q)
        return (cosine * p + sine * q) / _fourth_root(x)

    def decay(x: Tensor) -> Any:
        return _decay(x, _AI_FAR) / _fourth_root(x)

    return by_range(
        input, (START, 0.0, END), (wave, _near(_AI_OSCILLATING), _middle(_AI_MIDDLE), decay)
    )


@composite(
    pointwise(FLOAT, REAL, domain=DOMAIN, inplace=False),
    grad={"input": lambda K, g, input: g * input * K.airy_ai(input)},
    namespace="_",
)
@in_single
def airy_ai_slope(input: Tensor) -> Tensor:
    """The derivative of Ai, whose own is x Ai(x)."""

    def wave(x: Tensor) -> Any:
        cosine, sine, p, q = _wave(x, _SLOPE_P, _SLOPE_Q)
        return (sine * p - cosine * q) * _fourth_root(x)

    def decay(x: Tensor) -> Any:
        return -_decay(x, _SLOPE_FAR) * _fourth_root(x)

    return by_range(
        input, (START, 0.0, END), (wave, _near(_SLOPE_OSCILLATING), _middle(_SLOPE_MIDDLE), decay)
    )


def _fourth_root(x: Tensor) -> Any:
    return K.sqrt(K.sqrt(K.abs(x)))


def _zeta(x: Tensor) -> Any:
    size = K.abs(x)
    return K.minimum(size * K.sqrt(size) * (2 / 3), finfo(x.dtype).max)


def _wave(x: Tensor, p: Any, q: Any) -> tuple[Any, Any, Any, Any]:
    """Cosine and sine of zeta - pi / 4, and their amplitudes, over the root of pi."""
    zeta = _zeta(x)
    inverse = 2 / 3 * (-START) ** 1.5 / zeta
    t = 2 * inverse * inverse - 1
    c, s = K.cos(zeta), K.sin(zeta)
    size = math.sqrt(0.5 / math.pi)
    return (c + s) * size, (s - c) * size, chebyshev(t, p), chebyshev(t, q) / zeta


def _near(coefficients: Any) -> Any:
    return lambda x: chebyshev(1 - x * (2 / START), coefficients)


def _middle(coefficients: Any) -> Any:
    return lambda x: K.exp(-x) * chebyshev(x * (2 / END) - 1, coefficients)


def _decay(x: Tensor, coefficients: Any) -> Any:
    zeta = _zeta(x)
    return K.exp(-zeta) * chebyshev(4 / zeta - 1, coefficients) / (2 * math.sqrt(math.pi))


# Ai(x) and Ai'(x) for x = 5/2 (t - 1).
_AI_OSCILLATING = (
    0.21780501400549876, 0.15243919682610405, 0.24413048723903907, -0.25723797937555526,
    -0.10405689786164055, 0.1258789994498457, -0.010730847332209423, -0.019770891044724,
    0.006501814365774597, 0.0007291639947388939, -0.0007904009988707628, 0.00010807305451804548,
    3.4929680917219585e-05, -1.3631889435344286e-05, 5.550644712274884e-07, 5.960077778021826e-07,
    -1.282333427112974e-07, -3.89217252588784e-09, 5.604665504886613e-09, -7.325023228050804e-10,
    -7.584948080022729e-11, 3.38146239476339e-11, -2.6271661958850626e-12, -5.532266987341432e-13,
    1.420039294312333e-13, -5.439423676954658e-15, -2.531215287774012e-15, 4.3663099026744113e-16,
    -2.0279016787339435e-18, -8.263802231245331e-18,
)  # fmt: skip
_SLOPE_OSCILLATING = (
    -0.04827722225810545, 0.04174702290272246, -0.21850580197709413, -0.34886175667974006,
    0.39886534852423844, -0.015879683522490307, -0.10465064927514442, 0.035628383672114926,
    0.006066340575309986, -0.005983228268842494, 0.0008163598131899501, 0.0003399797221236084,
    -0.00013468306656885023, 4.654785318300374e-06, 7.088583558730337e-06, -1.561936759447497e-06,
    -6.350977489585342e-08, 7.94500272571099e-08, -1.057622854377879e-08, -1.2571560132573318e-09,
    5.578067628584318e-10, -4.3564320453695075e-11, -1.0278919461817799e-11,
    2.6738045938820276e-12, -9.954820510956454e-14, -5.267085119765158e-14, 9.24026842952862e-15,
    -2.157321195213293e-17, -1.9096096024810837e-16, 2.3851785651507403e-17,
)  # fmt: skip

# Ai(x) exp(x) and Ai'(x) exp(x) for x = END / 2 (t + 1).
_AI_MIDDLE = (
    0.33262720752524116, -0.05834261500757943, -0.031954625186317545, 0.004592021662659249,
    0.0004821891562503393, -0.00012410996580516952, 3.088502043697822e-07, 1.6420233639137523e-06,
    -9.988275165470855e-08, -1.0704086832170214e-08, 1.4528858560998723e-09, 8.09396079564587e-12,
    -1.0629279265655437e-11, 4.647816244353711e-13, 4.015903372666506e-14, -4.332037420564782e-15,
    -6.536421582546815e-18, 2.0242522377827274e-17,
)  # fmt: skip
_SLOPE_MIDDLE = (
    -0.3760636319867983, -0.06084378434745247, 0.057274591496925875, -0.0008809691662224254,
    -0.001653587924892459, 0.00012616457739429352, 2.1609346842663076e-05,
    -3.1509243711231596e-06, -8.519011767955394e-08, 3.839887327742949e-08,
    -1.2701795795942125e-09, -2.5229420441306043e-10, 2.2124054070437836e-11,
    6.161500152540728e-13, -1.6445659650827996e-13, 4.10249323346498e-15, 6.665558072710763e-16,
    -4.867415014373711e-17,
)  # fmt: skip

# 2 sqrt(pi) exp(zeta) times x^(1/4) Ai(x) and -x^(-1/4) Ai'(x) for zeta = 4 / (t + 1).
_AI_FAR = (
    0.9851820565386422, -0.014089605985948989, 0.0006680106751269217, -5.3666873672947435e-05,
    5.770074603847334e-06, -7.53155789395666e-07, 1.132984771440257e-07, -1.9027468532718796e-08,
    3.492558342655489e-09, -6.902264064372101e-10, 1.4524474656607539e-10, -3.226837240099468e-11,
    7.51824364475789e-12, -1.8271838826513864e-12, 4.611700600452862e-13, -1.204373231514306e-13,
    3.244444090065692e-14, -8.9919603846714e-15, 2.558101122136415e-15, -7.455447616591256e-16,
    2.222144081672006e-16, -6.763188001516321e-17, 2.0990562973207188e-17,
)  # fmt: skip
_SLOPE_FAR = (
    1.0212516255640114, 0.02036959542578334, -0.0008129886656669164, 6.163544200664231e-05,
    -6.433745208616261e-06, 8.247029869182245e-07, -1.2254064457848014e-07,
    2.0395467808356386e-08, -3.718026027357379e-09, 7.307975279427266e-10, -1.531025684314164e-10,
    3.388904780578543e-11, -7.871266510783833e-12, 1.9078644957276332e-12, -4.804135814744352e-13,
    1.252065265824848e-13, -3.3668106645601774e-14, 9.315993813788913e-15,
    -2.6464245471570878e-15, 7.702692373949599e-16, -2.293081884853545e-16, 6.971429955449857e-17,
    -2.161505587877245e-17,
)  # fmt: skip

# P + i Q zeta of (P + i Q) exp(-i (zeta - pi / 4)) = sqrt(pi) x^(1/4) (Ai + i Bi)(-x), and likewise of
# -i sqrt(pi) x^(-1/4) (Ai' + i Bi')(-x), as functions of zeta^2 = 2 zeta(5)^2 / (t + 1).
_AI_P = (
    0.9996723415461005, -0.0003255483561055322, 2.069745155969119e-06, -3.890961736474424e-08,
    1.3645959446950337e-09, -7.265563438866682e-11, 5.234675629062907e-12, -4.749669415821452e-13,
    5.172156139604189e-14, -6.533725295545284e-15, 9.33927407277721e-16, -1.4823330512580455e-16,
    2.5745988399644002e-17,
)  # fmt: skip
_AI_Q = (
    0.06911528040160503, -0.0003251060364586695, 3.945977743866323e-06, -1.068929090514341e-07,
    4.800334718951617e-09, -3.0691067169997637e-10, 2.5517594369013928e-11,
    -2.601606731752434e-12, 3.123666855119186e-13, -4.2903251712839485e-14, 6.596710595977435e-15,
    -1.116833216041688e-15, 2.0551350158850327e-16, -4.0680056098438254e-17,
    8.589182631392619e-18, -1.921018818902054e-18,
)  # fmt: skip
_SLOPE_P = (
    1.0003878405275435, 0.0003855407600036015, -2.2569547701994824e-06, 4.13018222466532e-08,
    -1.42946827628554e-09, 7.551623154582091e-11, -5.412684015866087e-12, 4.893117688966832e-13,
    -5.313644450068392e-14, 6.697975952039033e-15, -9.557415795023906e-16, 1.5147815527564406e-16,
    -2.627782827949282e-17,
)  # fmt: skip
_SLOPE_Q = (
    -0.09685373558055735, 0.00036413719505663344, -4.231539204935565e-06, 1.1255552405699963e-07,
    -5.0045376884264e-09, 3.179700644428914e-10, -2.632362416231985e-11, 2.675352198626147e-12,
    -3.204480010858941e-13, 4.392920315480073e-14, -6.743950494446888e-15, 1.1402812450546277e-15,
    -2.0959757741233326e-16, 4.1449196379079236e-17, -8.744355071414311e-18,
    1.9543012716058454e-18,
)  # fmt: skip
