"""Bessel functions of the first and second kind of orders 0 and 1.

To x = 2 a sum in x^2, with the logarithm of the second kind taken out (DLMF 10.8.1), to 8 one in x; beyond,
amplitudes P and Q of the phase x - (2 n + 1) pi / 4 (DLMF 10.17.3). PyTorch 2.13 errs by 1e-9 to 7e-7 here, in
double precision too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dispatch_core._dtypes import finfo
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.ops.bessel import slope
from dispatch_core.ops.special._approximation import Formula, by_range, chebyshev
from dispatch_core.ops.special._declare import special

LIMITS = (2.0, 8.0)
DOMAIN = (-12.0, 12.0)
PLUS = (0.2, 12.0)
TWO_OVER_PI = 2 / math.pi


@special({"input": lambda K, g, input: -g * K.bessel_j1(input)}, domain=DOMAIN)
def bessel_j0(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 0; 0 at infinity, where PyTorch gives NaN."""
    return by_range(K.abs(input), LIMITS, (_j0_near, _middle(_J0_MIDDLE), lambda x: _far(x, 0)[0]))


@special({"input": lambda K, g, input, out: g * slope(K, K.bessel_j0, input, out)}, domain=DOMAIN)
def bessel_j1(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 1; 0 at infinity, where PyTorch gives NaN."""
    size = by_range(K.abs(input), LIMITS, (_j1_near, _middle(_J1_MIDDLE), lambda x: _far(x, 1)[0]))
    return K.where(K.eq(input, 0), input, size * K.sgn(input))


@special({"input": lambda K, g, input: -g * K.bessel_y1(input)}, domain=PLUS)
def bessel_y0(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 0: -inf at 0, NaN below, 0 at infinity."""
    return _second(input, (_y0_near, _middle(_Y0_MIDDLE), lambda x: _far(x, 0)[1]))


@special({"input": lambda K, g, input, out: g * slope(K, K.bessel_y0, input, out)}, domain=PLUS)
def bessel_y1(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 1: -inf at 0, NaN below, 0 at infinity."""
    return _second(input, (_y1_near, _middle(_Y1_MIDDLE), lambda x: _far(x, 1)[1]))


def _second(x: Tensor, formulas: Sequence[Formula]) -> Any:
    return K.where(K.lt(x, 0), math.nan, by_range(K.abs(x), LIMITS, formulas))


def _j0_near(x: Tensor) -> Any:
    return chebyshev(x * x / 2 - 1, _J0_NEAR)


def _j1_near(x: Tensor) -> Any:
    return x * chebyshev(x * x / 2 - 1, _J1_NEAR)


def _y0_near(x: Tensor) -> Any:
    return chebyshev(x * x / 2 - 1, _Y0_NEAR) + TWO_OVER_PI * K.log(x) * _j0_near(x)


def _y1_near(x: Tensor) -> Any:
    regular = x * chebyshev(x * x / 2 - 1, _Y1_NEAR)
    return regular + TWO_OVER_PI * (K.xlogy(_j1_near(x), x) - 1 / x)


def _middle(coefficients: Sequence[float]) -> Formula:
    return lambda x: chebyshev((x - 5) / 3, coefficients)


def _far(x: Tensor, order: int) -> tuple[Any, Any]:
    """Both kinds for x >= 8, from the sine and cosine of x itself."""
    inverse = 8 / x
    t = 2 * inverse * inverse - 1
    p, q = chebyshev(t, _P[order]), chebyshev(t, _Q[order]) / x
    angle = K.minimum(x, finfo(x.dtype).max)
    sine, cosine = K.sin(angle), K.cos(angle)
    total, difference = sine + cosine, sine - cosine
    along, across = (difference, -total) if order else (total, difference)
    size = 1 / (K.sqrt(x) * math.sqrt(math.pi))
    return size * (p * along - q * across), size * (p * across + q * along)


# J_0(x), J_1(x) / x, Y_0(x) - 2/pi log(x) J_0(x) and (Y_1(x) - 2/pi (log(x) J_1(x) - 1/x)) / x for
# x^2 = 2 (t + 1).
_J0_NEAR = (
    0.585527499513664, -0.3872890360289182, 0.026405621698990963, -0.0007654496381023756,
    1.2267481117095263e-05, -1.2475784760053552e-07, 8.768279966045973e-10,
    -4.513965723474348e-12, 1.7756113941402797e-14, -5.5109254902609706e-17,
)  # fmt: skip
_J1_NEAR = (
    0.3895860087640616, -0.10572063716712067, 0.004593945470286771, -9.815037115682195e-05,
    1.2476416725174568e-06, -1.0522220059846298e-08, 6.319651210154411e-11,
    -2.8410059112881505e-13, 9.919729032349788e-16,
)  # fmt: skip
_Y0_NEAR = (
    0.1950967399711144, 0.2417572404725182, -0.02619230929039435, 0.0009342775328436637,
    -1.7016908057751606e-05, 1.8944162130543914e-07, -1.4265727010516483e-09,
    7.76158787567911e-12, -3.196268677675261e-14, 1.0314160546299959e-16,
)  # fmt: skip
_Y1_NEAR = (
    -0.10372598023303006, 0.08709669825674127, -0.005104399388300715, 0.00012818213001489527,
    -1.813976486090467e-06, 1.6555396369244133e-08, -1.057676935989351e-10, 5.000340212999884e-13,
    -1.8213010804414434e-15, 5.269956005973325e-18,
)  # fmt: skip

# The functions themselves for x = 3 t + 5.
_J0_MIDDLE = (
    0.025592646707550782, 0.17028222725477626, 0.1873643153329082, -0.2221564353365254,
    -0.015511707760084995, 0.0271320599050198, 0.00031989599497785016, -0.00141935146641612,
    6.061754801838211e-06, 4.2324928185188286e-05, -4.289521868294114e-07, -8.224527308877818e-07,
    1.0208729204589994e-08, 1.1280174482945098e-08, -1.4882077760233835e-10,
    -1.1523003340339657e-10, 1.5313400209895645e-12, 9.115424579549063e-13,
    -1.1904840345890306e-14, -5.751994785010911e-15, 7.29176853139412e-17, 2.963697292511509e-17,
)  # fmt: skip
_J1_MIDDLE = (
    0.12336340573059384, -0.20976366703829208, 0.3602482962977052, 0.0400554200722522,
    -0.0840645743753456, -0.0013091339546411232, 0.006375625308053721, -2.9549974729722566e-05,
    -0.0002480148685548397, 2.7793842134145598e-06, 5.93470055629001e-06, -8.02970321148495e-08,
    -9.661947022038998e-08, 1.3728015218704467e-09, 1.1420419651341932e-09,
    -1.6192402418044727e-11, -1.0258368899772508e-11, 1.4189113917729372e-13,
    7.244562371642822e-14, -9.669449733899353e-16, -4.129768937099909e-16, 5.290830795947375e-18,
)  # fmt: skip
_Y0_MIDDLE = (
    0.12106564200553586, -0.21449436587320128, 0.33121821135401186, 0.07293733336827159,
    -0.09156872232689006, -0.0019589401275205615, 0.006510674903784643, 7.986111415877587e-05,
    -0.00028115325960251204, 8.423377644945223e-06, 4.233970052577189e-06, 5.309590852837816e-07,
    -2.8672506093834935e-07, 5.927540362533157e-08, -1.691493465391843e-08,
    5.6513087844260705e-09, -1.7911487502404955e-09, 5.612699683250321e-10,
    -1.772412084579151e-10, 5.617047449719344e-11, -1.783579700821134e-11, 5.675036222755632e-12,
    -1.8092647856407016e-12, 5.778584622987232e-13, -1.848704092731285e-13, 5.923636278744192e-14,
    -1.9008051520681266e-14, 6.107628042328408e-15, -1.964964932994065e-15, 6.329206352577191e-16,
    -2.0409108337926962e-16, 6.587945614444418e-17, -2.1286317248416915e-17,
    6.884163510246564e-18,
)  # fmt: skip
_Y1_MIDDLE = (
    0.001611840521764975, -0.2220099911245507, -0.13977256287193757, 0.21961429068079844,
    0.006102103864605602, -0.024568968857575056, -0.0004276965604629369, 0.001473730757563512,
    -5.5011361055316123e-05, -2.5753293649885324e-05, -4.471095185644783e-06,
    2.4731733672959376e-06, -5.773952268970513e-07, 1.7937287978914284e-07,
    -6.367506214417772e-08, 2.150015635257082e-08, -7.161974299917012e-09, 2.39456968333887e-09,
    -8.009146588999817e-10, 2.676751818438891e-10, -8.942198193553145e-11, 2.986455506773792e-11,
    -9.97147481695261e-12, 3.328671545007628e-12, -1.110978395038855e-12, 3.707449966375718e-13,
    -1.2370568191482318e-13, 4.127210361242985e-14, -1.3768377152911857e-14,
    4.5927581965406395e-15, -1.5319115379292867e-15, 5.109365289552466e-16,
    -1.7040277761077368e-16, 5.682842765568576e-17, -1.895118038534927e-17, 6.31961484780773e-18,
)  # fmt: skip

# P + i Q x = exp(-i (x - (2 n + 1) pi / 4)) sqrt(pi x / 2) H_n(x), as functions of 128 / x^2 = t + 1.
_P0 = (
    0.9994603493475187, -0.0005365220468132117, 3.0751847875194745e-06, -5.1705945376060975e-08,
    1.6306464635151382e-09, -7.86409137723707e-11, 5.168262387349193e-12, -4.3045788699253914e-13,
    4.3265957431549404e-14, -5.069034095935236e-15, 6.748072215733873e-16,
    -1.0011513723467786e-16, 1.6305919233744186e-17,
)  # fmt: skip
_Q0 = (
    -0.12444683684269607, 0.0005470815954089319, -5.9315987288485175e-06, 1.4377965798375193e-07,
    -5.817532749493056e-09, 3.376097523734991e-10, -2.565397936797308e-11, 2.404916100281365e-12,
    -2.6690625482579414e-13, 3.4041800321963686e-14, -4.87994410531204e-15, 7.729703176242605e-16,
    -1.3348852171502517e-16, 2.4865952389390515e-17, -4.952892629886516e-18,
)  # fmt: skip
_P1 = (
    1.0009030408600137, 0.0008989898330859408, -3.987284300488908e-06, 6.177633960644299e-08,
    -1.8718907491063067e-09, 8.816898659582339e-11, -5.704863640395645e-12, 4.699195515230542e-13,
    -4.6842237839904895e-14, 5.452674896044717e-15, -7.221180842274018e-16,
    1.0667689114335412e-16, -1.7312313216116335e-17,
)  # fmt: skip
_Q1 = (
    0.3742222965562826, -0.0007702178839325664, 7.3108922063643636e-06, -1.676782510726674e-07,
    6.583354662120443e-09, -3.749090950541556e-10, 2.8121750359748866e-11, -2.61145253946232e-12,
    2.8774212663332235e-13, -3.649001916061838e-14, 5.206626366226707e-15, -8.215318025458595e-16,
    1.4141084390211833e-16, -2.626761589838529e-17, 5.2192649196714085e-18,
)  # fmt: skip
_P, _Q = (_P0, _P1), (_Q0, _Q1)
