"""Transforms made of others: over more dimensions, and side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core.distributions import constraints
from dispatch_core.distributions._core import K
from dispatch_core.distributions.transforms._base import Transform
from dispatch_core.distributions.utils import sum_rightmost


class IndependentTransform(Transform):
    """A transform applied to every element of larger events.

    Args:
        base_transform: the transform of one.
        reinterpreted_batch_ndims: how many dimensions the larger events have more.
        cache_size: as in `Transform`.

    """

    def __init__(
        self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        return IndependentTransform(
            self.base_transform, self.reinterpreted_batch_ndims, cache_size=cache_size
        )

    @property
    def domain(self) -> Any:
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @property
    def codomain(self) -> Any:
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> Any:
        return self.base_transform.bijective

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _call(self, x: Any) -> Any:
        self._check(x, self.domain)
        return self.base_transform(x)

    def _inverse(self, y: Any) -> Any:
        self._check(y, self.codomain)
        return self.base_transform.inv(y)

    def _check(self, value: Any, constraint: Any) -> None:
        if value.ndim < constraint.event_dim:
            raise ValueError(
                f"Too few dimensions on input: expected at least {constraint.event_dim}, but got "
                f"{tuple(value.shape)}"
            )

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        value = self.base_transform.log_abs_det_jacobian(x, y)
        return sum_rightmost(value, self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self.base_transform.inverse_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class _Joined(Transform):
    """Several transforms along one dimension."""

    def __init__(self, tseq: Sequence[Any], dim: int, cache_size: int) -> None:
        for transform in tseq:
            if not isinstance(transform, Transform):
                raise AssertionError(
                    f"All elements of tseq must be Transform instances, got {type(transform).__name__}"
                )
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> Any:
        return all(t.bijective for t in self.transforms)

    def _check(self, value: Any, name: str, length: int, what: str) -> None:
        if not -value.ndim <= self.dim < value.ndim:
            raise AssertionError(
                f"dim {self.dim} out of range for {name} with {value.ndim} dimensions"
            )
        if value.shape[self.dim] != length:
            raise AssertionError(
                f"{name}.size({self.dim}) = {value.shape[self.dim]} must equal {what} {length}"
            )


class CatTransform(_Joined):
    """Transform i of the i-th stretch along a dimension.

    Args:
        tseq: the transforms.
        dim: the dimension.
        lengths: how long the stretches are; None: 1 each.
        cache_size: as in `Transform`.

    """

    def __init__(
        self,
        tseq: Sequence[Any],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(
                f"lengths must have one number for each of the {len(self.transforms)} transforms, got "
                f"{len(self.lengths)}"
            )

    @property
    def event_dim(self) -> int:
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        """The size of the dimension."""
        return sum(self.lengths)

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _stretches(self, value: Any, name: str) -> list[Any]:
        self._check(value, name, self.length, "length")
        return list(K.split(value, self.lengths, self.dim))

    def _call(self, x: Any) -> Any:
        pairs = zip(self.transforms, self._stretches(x, "x"), strict=True)
        return K.cat([t(part) for t, part in pairs], self.dim)

    def _inverse(self, y: Any) -> Any:
        pairs = zip(self.transforms, self._stretches(y, "y"), strict=True)
        return K.cat([t.inv(part) for t, part in pairs], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        values = []
        stretches = self._stretches(x, "x"), self._stretches(y, "y")
        for t, before, after in zip(self.transforms, *stretches, strict=True):
            value = t.log_abs_det_jacobian(before, after)
            values.append(sum_rightmost(value, self.event_dim - t.event_dim))
        dim = self.dim if self.dim < 0 else self.dim - x.ndim
        dim += self.event_dim
        return K.cat(values, dim) if dim < 0 else sum(values)


class StackTransform(_Joined):
    """Transform i of the i-th slice along a dimension.

    Args:
        tseq: the transforms.
        dim: the dimension.
        cache_size: as in `Transform`.

    """

    def __init__(self, tseq: Sequence[Any], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        return StackTransform(self.transforms, self.dim, cache_size)

    @property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _slices(self, value: Any, name: str) -> list[Any]:
        self._check(value, name, len(self.transforms), "len(transforms)")
        return list(K.unbind(value, self.dim))

    def _call(self, x: Any) -> Any:
        pairs = zip(self.transforms, self._slices(x, "x"), strict=True)
        return K.stack([t(part) for t, part in pairs], self.dim)

    def _inverse(self, y: Any) -> Any:
        pairs = zip(self.transforms, self._slices(y, "y"), strict=True)
        return K.stack([t.inv(part) for t, part in pairs], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        slices = zip(self.transforms, self._slices(x, "x"), self._slices(y, "y"), strict=True)
        return K.stack([t.log_abs_det_jacobian(*pair) for t, *pair in slices], self.dim)
