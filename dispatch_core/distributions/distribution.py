"""What every distribution has: shapes, parameters, checks of arguments and samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Self

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Size, Tensor, all_true, no_grad
from dispatch_core.distributions.utils import broadcast_all, lazy_property, shape_of

__all__ = ["Distribution"]


class Distribution:
    """A probability distribution, or a batch of them.

    A sample has the shape `sample_shape + batch_shape + event_shape`: the batch are distributions with
    parameters of their own, an event is one draw from one of them, whose elements depend on each other.

    Args:
        batch_shape: the shape of the batch.
        event_shape: the shape of an event.
        validate_args: whether parameters and values are checked; None: as `set_default_validate_args` says
            (by default they are, unless Python runs with -O). Each check reads all values.

    Raises ValueError for a parameter outside its constraint.

    A subclass lists its parameters with their constraints in `arg_constraints`, keeps those of an
    instance as attributes of these names, broadcast to `batch_shape`, and defines `rsample` (if
    `has_rsample`) or `sample`, and `log_prob`; `expand` then does without code of its own.

    """

    has_rsample = False
    """Whether samples are differentiable by the parameters."""
    has_enumerate_support = False
    """Whether `enumerate_support` lists all values."""
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check parameters and values that are not told by `validate_args`.

        Raises ValueError for anything but True and False.
        """
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args expects True or False, but got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Iterable[int] = (),
        event_shape: Iterable[int] = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    def _begin(self, validate_args: bool | None, **parameters: Any) -> None:
        """Set parameters that broadcast with each other, and the batch shape that they have."""
        values = broadcast_all(*parameters.values())
        vars(self).update(zip(parameters, values, strict=True))
        Distribution.__init__(self, values[0].shape, validate_args=validate_args)

    def _check_parameters(self) -> None:
        try:
            declared = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        for name, constraint in declared.items():
            derived = name not in vars(self) and isinstance(
                getattr(type(self), name, None), lazy_property
            )
            if constraints.is_dependent(constraint) or derived:
                continue
            value = getattr(self, name)
            if not all_true(constraint.check(value)):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of "
                    f"distribution {self!r} to satisfy the constraint {constraint!r}, but found invalid "
                    f"values:\n{value}"
                )

    @property
    def batch_shape(self) -> Size:
        """The shape over which parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of a single draw from one distribution."""
        return self._event_shape

    @property
    def arg_constraints(self) -> Mapping[str, constraints.Constraint]:
        """Parameters by name and the constraint that each satisfies."""
        raise NotImplementedError(f"{type(self).__name__} does not define `arg_constraints`")

    @property
    def support(self) -> constraints.Constraint:
        """The constraint that describes which values are possible."""
        raise NotImplementedError(f"{type(self).__name__} does not define `support`")

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError(f"{type(self).__name__} has no `mean`")

    @property
    def mode(self) -> Tensor:
        """The most likely value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError(f"{type(self).__name__} has no `variance`")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return K.sqrt(self.variance)

    def expand(self, batch_shape: Iterable[int], _instance: Any = None) -> Self:
        """The same distribution for a larger batch, of shape `batch_shape`, without copies of parameters.

        Only dimensions of size 1 grow, and dimensions are added in front, as `Tensor.expand` does.
        """
        new = self._get_checked_instance(Distribution, _instance)
        vars(new).update(self._expanded(Size(batch_shape)))
        return new

    def _expanded(self, batch_shape: Size) -> dict[str, Any]:
        """The attributes of this distribution for another batch shape.

        Parameters and member distributions are expanded, other attributes are taken over, and lazy
        properties that are no parameters computed anew.
        """
        names = self._parameter_names()
        state: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, Distribution):
                further = value.batch_shape[len(self.batch_shape) :]
                state[name] = value.expand(shape_of(batch_shape, further))
            elif name in names and isinstance(value, Tensor):
                own = value.shape[len(self.batch_shape) :]
                state[name] = K.expand(value, shape_of(batch_shape, own))
            elif not isinstance(getattr(type(self), name, None), lazy_property):
                state[name] = value
        state["_batch_shape"] = batch_shape
        return state

    def _parameter_names(self) -> Iterable[str]:
        """Attributes that are broadcast to the batch, where they are not those of `arg_constraints`."""
        return self._shown()

    def _shown(self) -> Iterable[str]:
        try:
            return self.arg_constraints
        except NotImplementedError:
            return ()

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """An object of this class for `expand` to fill, or the one that a subclass's `expand` gives."""
        return type(self).__new__(type(self)) if _instance is None else _instance

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        """Values of shape `sample_shape + batch_shape + event_shape`, without history."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        """Values of shape `sample_shape + batch_shape + event_shape`, differentiable by the parameters.

        Raises NotImplementedError where `has_rsample` is False.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no reparameterised samples; use sample(), and log_prob() for "
            "a score function estimator"
        )

    def sample_n(self, n: int) -> Tensor:
        """`sample((n,))`, deprecated."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.",
            FutureWarning,
            stacklevel=2,
        )
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or probability of values, of shape `sample_shape + batch_shape`.

        Raises ValueError for values outside the support or of a shape that does not fit.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `log_prob`")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to this one."""
        raise NotImplementedError(f"{type(self).__name__} has no `cdf`")

    def icdf(self, value: Tensor) -> Tensor:
        """The value up to which this probability lies, the inverse of `cdf`."""
        raise NotImplementedError(f"{type(self).__name__} has no `icdf`")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution along a new first dimension.

        Of shape `(count,) + batch_shape + event_shape`, or with `expand=False` with 1 for each dimension
        of the batch. Raises NotImplementedError where `has_enumerate_support` is False.
        """
        raise NotImplementedError(f"the values of {type(self).__name__} cannot be enumerated")

    def entropy(self) -> Tensor:
        """The entropy in nats, of shape `batch_shape`."""
        raise NotImplementedError(f"{type(self).__name__} has no `entropy`")

    def perplexity(self) -> Tensor:
        """exp(entropy), of shape `batch_shape`."""
        return K.exp(self.entropy())

    def _extended_shape(self, sample_shape: Iterable[int] = ()) -> Size:
        return shape_of(sample_shape, self._batch_shape, self._event_shape)

    def _enumerated(self, values: Tensor, expand: bool) -> Tensor:
        """Values of the first dimension, for every distribution of the batch."""
        event = values.shape[1:]
        values = K.reshape(values, (-1, *[1] * len(self._batch_shape), *event))
        if expand:
            values = K.expand(values, (-1, *self._batch_shape, *event))
        return values

    def _validate_sample(self, value: Any) -> None:
        """Raises ValueError for what cannot be a sample of this distribution."""
        if not isinstance(value, Tensor):
            raise ValueError(
                f"The value argument to log_prob must be a Tensor, but got {type(value).__name__}"
            )
        rank = value.ndim - len(self._event_shape)
        if value.shape[max(rank, 0) :] != self._event_shape:
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{value.shape} vs {self._event_shape}."
            )
        wanted = self._extended_shape()
        for given, own in zip(reversed(value.shape), reversed(wanted), strict=False):
            if 1 not in (given, own) and given != own:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {wanted}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please initialize "
                "the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not all_true(support.check(value)):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be "
                f"within the support ({support!r}) of the distribution {self!r}, but found invalid "
                f"values:\n{value}"
            )

    def __repr__(self) -> str:
        values = ((name, vars(self)[name]) for name in self._shown() if name in vars(self))
        parts = (f"{n}: {v if v.numel() == 1 else v.size()}" for n, v in values)
        return f"{type(self).__name__}({', '.join(parts)})"
