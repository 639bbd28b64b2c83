"""Von Mises's distribution of angles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Tensor, by_rejection, float64, no_grad, special
from dispatch_core.distributions.distribution import Distribution

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles in [-pi, pi) with density proportional to exp(concentration cos(x - loc)).

    Args:
        loc: the mean angle, in radians.
        concentration: 0 for all angles alike, large for a narrow peak.
        validate_args: as in `Distribution`.

    `variance` is the circular one, 1 - E cos(x - loc). Samples are not differentiable.

    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False
    loc: Any
    concentration: Any

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self._begin(validate_args, loc=loc, concentration=concentration)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 1 - special.i1e(self.concentration) / special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        log_norm = math.log(2 * math.pi) + K.log(special.i0e(k))
        return k * (K.cos(value - self.loc) - 1) - log_norm

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        """Angles by rejection from a wrapped Cauchy distribution (Best and Fisher 1979), in float64."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            k = K.expand(K.cast(self.concentration, float64), shape)
            loc = K.cast(self.loc, float64)
            drawn = by_rejection(_best_fisher, [k]) + loc
            wrapped = K.remainder(drawn + math.pi, 2 * math.pi) - math.pi
            return K.cast(wrapped, self.loc.dtype)


_SMALL = 1e-5
"""Below this concentration the ratio of the wrapped Cauchy distribution is a series."""


def _best_fisher(k: Any) -> tuple[Any, Any]:
    tau = 1 + K.sqrt(1 + 4 * k * k)
    rho = (tau - K.sqrt(2 * tau)) / (2 * k)
    r = K.where(k < _SMALL, 1 / k + k, (1 + rho * rho) / (2 * rho))
    u = [K.rand(k.shape, dtype=float64, device=k.device) for _ in range(3)]
    z = K.cos(math.pi * u[0])
    f = K.clamp((1 + r * z) / (r + z), -1, 1)
    c = k * (r - f)
    taken = (c * (2 - c) - u[1] > 0) | (K.log(c / u[1]) + 1 - c >= 0)
    return K.sign(u[2] - 0.5) * K.acos(f), taken
