"""What a transform is, its inverse, and several one after the other."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Sequence
from typing import Any, Self

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K, Size, Tensor
from dispatch_core.distributions.utils import sum_rightmost


class Transform:
    """A map y = f(x) from the constraint `domain` to `codomain`.

    A subclass gives `_call(x)`, `_inverse(y)`, `log_abs_det_jacobian(x, y)`, `domain`, `codomain`,
    `bijective`, and `sign` where f is monotone; one that changes shapes also `forward_shape` and
    `inverse_shape`.

    Args:
        cache_size: 0, or 1: the latest x and y are kept, so that the inverse of a result is its x itself.

    Raises ValueError for another `cache_size`.

    """

    bijective: Any = False
    """Whether the transform is one to one between domain and codomain."""
    domain: Any
    """The constraint of valid inputs."""
    codomain: Any
    """The constraint that results satisfy."""

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"cache_size must be 0 or 1, but got {cache_size!r}")
        self._cache_size = cache_size
        self._forget()

    def _forget(self) -> None:
        self._inv: weakref.ref[Transform] | None = None
        self._cached: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_inv": None, "_cached": (None, None)}

    @property
    def event_dim(self) -> int:
        """The dimensions of events; ValueError where domain and codomain differ in them."""
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")
        return self.domain.event_dim

    @property
    def inv(self) -> Transform:
        """The inverse transform; `t.inv.inv is t`."""
        inverse = None if self._inv is None else self._inv()
        if inverse is None:
            inverse = _InverseTransform(self)
            self._inv = weakref.ref(inverse)
        return inverse

    @property
    def sign(self) -> Any:
        """The sign of the derivative of a monotone transform of numbers, 1 or -1.

        Raises NotImplementedError for others.
        """
        raise NotImplementedError(
            f"{type(self).__name__} is not known to be monotone: it has no `sign`"
        )

    def with_cache(self, cache_size: int = 1) -> Self:
        """The same transform with this cache size; itself where it has it already."""
        if self._cache_size == cache_size:
            return self
        new = copy.copy(self)
        Transform.__init__(new, cache_size)
        return new

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(type(self))

    def __call__(self, x: Tensor) -> Tensor:
        """The transform of a value."""
        if self._cache_size == 0:
            return self._call(x)
        before, after = self._cached
        if x is before:
            return after
        y = self._call(x)
        self._cached = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size == 0:
            return self._inverse(y)
        before, after = self._cached
        if y is after:
            return before
        x = self._inverse(y)
        self._cached = x, y
        return x

    def _call(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define `_call`")

    def _inverse(self, y: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} has no inverse: it does not define `_inverse`"
        )

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Logarithm of |det dy/dx| at an input and its result, without the dimensions of the events.

        Raises NotImplementedError where it is not known.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `log_abs_det_jacobian`")

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        """The shape of the results of inputs of a shape."""
        return shape

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        """The shape of the inputs that give results of a shape."""
        return shape

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class FixedTransform(Transform):
    """A transform without parameters: all of its class are equal."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = Transform.__hash__


class _InverseTransform(Transform):
    """The inverse of a transform."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self._forward = transform

    def _forget(self) -> None:
        self._cached = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return dict(vars(self))

    @property
    def domain(self) -> Any:
        return self._forward.codomain

    @property
    def codomain(self) -> Any:
        return self._forward.domain

    @property
    def bijective(self) -> Any:
        return self._forward.bijective

    @property
    def sign(self) -> Any:
        return self._forward.sign

    @property
    def inv(self) -> Transform:
        return self._forward

    def with_cache(self, cache_size: int = 1) -> Any:
        return self._forward.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._forward == other._forward

    def __hash__(self) -> int:
        return hash((_InverseTransform, self._forward))

    def __call__(self, x: Tensor) -> Tensor:
        return self._forward._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -self._forward.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self._forward.inverse_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self._forward.forward_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._forward!r})"


class ComposeTransform(Transform):
    """Transforms one after the other.

    Args:
        parts: the transforms, the first to be applied first.
        cache_size: as in `Transform`; the parts get it too.

    """

    def __init__(self, parts: Sequence[Any], cache_size: int = 0) -> None:
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else list(parts)
        super().__init__(cache_size)

    @property
    def domain(self) -> Any:
        """The domain of the first part, its events as large as all parts need them."""
        if not self.parts:
            return constraints.real
        domain = self.parts[0].domain
        dims = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            dims += part.domain.event_dim - part.codomain.event_dim
            dims = max(dims, part.domain.event_dim)
        return _with_dims(domain, dims)

    @property
    def codomain(self) -> Any:
        """The codomain of the last part, its events as large as all parts make them."""
        if not self.parts:
            return constraints.real
        codomain = self.parts[-1].codomain
        dims = self.parts[0].domain.event_dim
        for part in self.parts:
            dims += part.codomain.event_dim - part.domain.event_dim
            dims = max(dims, part.codomain.event_dim)
        return _with_dims(codomain, dims)

    @property
    def bijective(self) -> Any:
        """Whether all parts are."""
        return all(part.bijective for part in self.parts)

    @property
    def sign(self) -> Any:
        """The product of the signs of the parts."""
        sign: Any = 1
        for part in self.parts:
            sign = sign * part.sign
        return sign

    @property
    def inv(self) -> Transform:
        """The inverses of the parts in reverse order."""
        inverse = None if self._inv is None else self._inv()
        if inverse is None:
            inverse = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv = weakref.ref(inverse)
            inverse._inv = weakref.ref(self)
        return inverse

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        return ComposeTransform(self.parts, cache_size=cache_size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = Transform.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inv_call(self, y: Tensor) -> Tensor:
        return self.inv(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        if not self.parts:
            return K.zeros_like(x)
        values = [x]
        for part in self.parts[:-1]:
            values.append(part(values[-1]))
        values.append(y)
        total: Any = 0
        dims = self.domain.event_dim
        for part, before, after in zip(self.parts, values[:-1], values[1:], strict=True):
            term = part.log_abs_det_jacobian(before, after)
            total = total + sum_rightmost(term, dims - part.domain.event_dim)
            dims += part.codomain.event_dim - part.domain.event_dim
        return total

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self) -> str:
        parts = ",\n    ".join(repr(part) for part in self.parts)
        return f"{type(self).__name__}(\n    {parts}\n)"


def _with_dims(constraint: Any, dims: int) -> Any:
    """A constraint of events with so many dimensions."""
    missing = dims - constraint.event_dim
    return constraints.independent(constraint, missing) if missing > 0 else constraint


identity_transform = ComposeTransform([])


def checked_shape(shape: Sequence[int], dims: int) -> Size:
    """A shape with at least so many dimensions; ValueError for others."""
    if len(shape) < dims:
        raise ValueError(
            f"Too few dimensions on input: expected at least {dims}, but got {tuple(shape)}"
        )
    return Size(shape)
