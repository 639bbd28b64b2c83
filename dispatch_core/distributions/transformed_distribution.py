"""What a distribution becomes when its values are transformed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import Tensor, no_grad
from dispatch_core.distributions.distribution import Distribution
from dispatch_core.distributions.independent import Independent
from dispatch_core.distributions.transforms import ComposeTransform, Transform
from dispatch_core.distributions.utils import shape_of, sum_rightmost

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of f(x), x from a base distribution: log p(y) = log p(x) - log |det dy/dx|.

    Args:
        base_distribution: the distribution of x.
        transforms: f, or a list of transforms one after the other.
        validate_args: as in `Distribution`.

    Raises ValueError for anything but transforms, and for a base whose values have too few dimensions.

    """

    arg_constraints: Any = {}
    base_dist: Any

    def __init__(
        self, base_distribution: Any, transforms: Any, validate_args: bool | None = None
    ) -> None:
        self.transforms = _listed(transforms)
        transform = ComposeTransform(self.transforms)
        domain, codomain = transform.domain, transform.codomain
        shape = shape_of(base_distribution.batch_shape, base_distribution.event_shape)
        event = len(base_distribution.event_shape)
        if len(shape) < domain.event_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {domain.event_dim}, but got "
                f"{shape}."
            )
        results = transform.forward_shape(shape)
        wanted = shape_of(transform.inverse_shape(results))
        if shape != wanted:
            base_distribution = base_distribution.expand(wanted[: len(wanted) - event])
        joined = domain.event_dim - event
        if joined > 0:
            base_distribution = Independent(base_distribution, joined)
        self.base_dist = base_distribution
        dims = max(codomain.event_dim, event + codomain.event_dim - domain.event_dim)
        cut = len(results) - dims
        super().__init__(results[:cut], results[cut:], validate_args=validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether samples of the base distribution are differentiable."""
        return self.base_dist.has_rsample

    @constraints.dependent_property
    def support(self) -> Any:
        """The codomain of the last transform."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        missing = len(self.event_shape) - found.event_dim
        return constraints.independent(found, missing) if missing > 0 else found

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, value: Any) -> Any:
        for transform in self.transforms:
            value = transform(value)
        return value

    def _backward(self, value: Any) -> Any:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        dims = len(self.event_shape)
        total: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            term = transform.log_abs_det_jacobian(x, y)
            total = total - sum_rightmost(term, dims - transform.domain.event_dim)
            y = x
        density = self.base_dist.log_prob(y)
        return total + sum_rightmost(density, dims - len(self.base_dist.event_shape))

    def _monotone(self, probability: Any) -> Any:
        """Probabilities below the base's value, or above it where the transforms reverse the order."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, int) and sign == 1:
            return probability
        return sign * (probability - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to this one; NotImplementedError unless all transforms are monotone."""
        if self._validate_args:
            self._validate_sample(value)
        return self._monotone(self.base_dist.cdf(self._backward(value)))

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`; NotImplementedError unless all transforms are monotone."""
        return self._forward(self.base_dist.icdf(self._monotone(value)))


def _listed(transforms: Any) -> list[Transform]:
    if isinstance(transforms, Transform):
        return [transforms]
    if not isinstance(transforms, list):
        raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
    if not all(isinstance(t, Transform) for t in transforms):
        raise ValueError(
            f"transforms must be a Transform or a list of Transforms, but got {transforms}"
        )
    return transforms
